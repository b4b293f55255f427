"""As procrastinate's quick start shows: a connector, a task, a worker.

A task that raises has failed for good, and a job of a worker that died stays `doing` (How-to, Retry stalled jobs).
"""

from __future__ import annotations

import os
from typing import Any

import procrastinate

from alternatives.common.async_store import AsyncStore
from alternatives.common.statements import DEFAULTS

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))
store = AsyncStore(DEFAULTS)


@app.task
async def store_event(event: dict[str, Any]) -> None:
    """The task."""
    await store.insert(event)


async def work() -> None:
    """Work until SIGTERM."""
    async with store, app.open_async():
        await app.run_worker_async()
