"""The intake, apart from the tasks; workers and scheduler are started by taskiq's own command.

A task is named after the module it is in, and a worker acknowledges a message whose task it does not know: with the
intake in the tasks' own module, `__main__`, every event would be lost.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from alternatives.common import intake

(variant,) = sys.argv[1:]
tasks = import_module(f"alternatives.taskiq.{variant}")


async def enqueue(event: dict[str, Any]) -> None:
    """What the intake calls."""
    await tasks.store_event.kiq(event)


intake.serve(enqueue, tasks.lifespan)
