"""As taskiq's manual says for safety; each setting names the chapter it is from.

The broker is the one that "supports acknowledgements and therefore is fine to use in cases when data durability is
required" (taskiq-redis, Stream), and it acknowledges late: when the result is saved (CLI, Acknowledgements).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import psycopg
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from starlette.applications import Starlette
from taskiq import Context, TaskiqDepends, TaskiqEvents, TaskiqScheduler, TaskiqState
from taskiq.middlewares import SmartRetryMiddleware
from taskiq_redis import ListRedisScheduleSource, RedisAsyncResultBackend, RedisStreamBroker

from alternatives.common.async_store import AsyncStore
from alternatives.common.dead_letters import bury
from alternatives.common.statements import HARDENED

URL = os.environ["REDIS_URL"]
#: Seconds for which a dead worker may hold messages, and of a retry's first and longest pause.
LEASE_S = float(os.environ.get("LEASE_S", "10"))
BASE_S = float(os.environ.get("RETRY_BASE_S", "1"))
CAP_S = float(os.environ.get("RETRY_CAP_S", "30"))
#: taskiq-redis, configuration: what else is given goes to redis-py's pool, which otherwise tries nothing again.
CONNECTION: dict[str, Any] = {"retry": Retry(ExponentialBackoff(cap=1, base=0.05), 20)}

#: Scheduling tasks: where a retry waits. The stream broker knows no delay: without this, retries follow at once.
source = ListRedisScheduleSource(URL, **CONNECTION)
broker = (
    RedisStreamBroker(
        url=URL,
        idle_timeout=int(LEASE_S * 1000),  # RedisStreamBroker's signature, no text has it: 10 minutes otherwise
        unacknowledged_lock_timeout=LEASE_S,  # its docstring: "useful when the worker crashes"; never otherwise
        **CONNECTION,
    )
    # taskiq-redis, RedisAsyncResultBackend configuration: "it is highly recommended to use expire time"
    .with_result_backend(RedisAsyncResultBackend(redis_url=URL, result_ex_time=600, **CONNECTION))
    # Available middlewares, Smart retry middleware: "use jitter and exponential backoff to avoid repetitive load
    # peaks"; an outage may be longer than any count
    .with_middlewares(
        SmartRetryMiddleware(
            default_retry_label=True,
            default_retry_count=1_000_000,
            default_delay=BASE_S,
            use_jitter=True,
            use_delay_exponent=True,
            max_delay_exponent=CAP_S,
            schedule_source=source,
        )
    )
)
scheduler = TaskiqScheduler(broker, [source])


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def startup(state: TaskiqState) -> None:
    """Open what tasks share.

    PostgreSQL's manual has the time-outs: "Database Connection Control Functions" and, for statement_timeout, "Client
    Connection Defaults".
    """
    state.store = await AsyncStore(
        HARDENED, connect_timeout=5, options="-c statement_timeout=5000", tcp_user_timeout=5000
    ).__aenter__()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def shutdown(state: TaskiqState) -> None:
    """Close it."""
    await state.store.__aexit__(None, None, None)


@broker.task(timeout=30)  # Getting started, Timeouts: none otherwise
async def store_event(event: dict[str, Any], context: Annotated[Context, TaskiqDepends()]) -> None:
    """The task."""
    try:
        await context.state.store.insert(event)
    except psycopg.DataError as e:  # there is no dead letter queue
        await asyncio.to_thread(bury, event, e, int(context.message.labels.get("_retries", 0)) + 1)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The intake's connections."""
    await broker.startup()
    yield
    await broker.shutdown()
