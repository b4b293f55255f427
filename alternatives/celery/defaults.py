"""Celery as its quick start shows ("First Steps with Celery"): an app, a task, `delay`, and no setting at all."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from alternatives.common import statements
from alternatives.common.store import Store

app = Celery("tasks", broker=os.environ["REDIS_URL"])
store = Store(statements.DEFAULTS)


@app.task
def record(event: dict[str, Any]) -> None:
    """Store one event."""
    store.insert(event)
