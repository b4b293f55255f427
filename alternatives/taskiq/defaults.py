"""As taskiq-redis's README shows (Usage): the stream broker, and results kept in Redis.

A task that raises has failed for good: its result is saved, without its arguments, and its message acknowledged. What
a worker held that died is taken over after 10 minutes, by a worker that has just received something new.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from alternatives.common.async_store import AsyncStore
from alternatives.common.statements import DEFAULTS

URL = os.environ["REDIS_URL"]

broker = RedisStreamBroker(url=URL).with_result_backend(RedisAsyncResultBackend(redis_url=URL))


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def startup(state: TaskiqState) -> None:
    """Open what tasks share."""
    state.store = await AsyncStore(DEFAULTS).__aenter__()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def shutdown(state: TaskiqState) -> None:
    """Close it."""
    await state.store.__aexit__(None, None, None)


@broker.task
async def store_event(event: dict[str, Any]) -> None:
    """The task."""
    await broker.state.store.insert(event)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The intake's connections."""
    await broker.startup()
    yield
    await broker.shutdown()
