"""`python -m alternatives.taskiq.ingest defaults`: the intake, apart, since a task is named after the module it is in.

A message whose task a worker does not know is acknowledged all the same: under `__main__` every event would be lost.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from alternatives.common.intake import serve

tasks = importlib.import_module(f"alternatives.taskiq.{sys.argv[1]}")


async def enqueue(event: dict[str, Any]) -> None:
    """What the intake calls."""
    await tasks.store_event.kiq(event)


serve(enqueue, tasks.lifespan)
