"""As arq's documentation shows (Usage: Simple Usage, Startup & Shutdown coroutines): a job is enqueued by its name.

A job that raises has failed for good: its result, with its arguments, is kept for an hour, and there is no dead letter
queue. A job that a shutdown cancels runs again; one of a worker that died does so after job_timeout + 10 s, 310 s.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from arq import ArqRedis, create_pool
from arq.connections import RedisSettings
from starlette.applications import Starlette

from alternatives.common.async_store import AsyncStore
from alternatives.common.statements import DEFAULTS

REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])


async def store_event(ctx: dict[str, Any], event: dict[str, Any]) -> None:
    """The job."""
    await ctx["store"].insert(event)


async def startup(ctx: dict[str, Any]) -> None:
    """Open what jobs share."""
    ctx["store"] = await AsyncStore(DEFAULTS).__aenter__()


async def shutdown(ctx: dict[str, Any]) -> None:
    """Close it."""
    await ctx["store"].__aexit__(None, None, None)


class WorkerSettings:
    """What the command `arq` reads."""

    functions = (store_event,)
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = REDIS


queue: ArqRedis


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The intake's connections."""
    global queue
    queue = await create_pool(REDIS)
    yield


async def enqueue(event: dict[str, Any]) -> None:
    """What the intake calls."""
    await queue.enqueue_job("store_event", event)
