"""As arq's manual says for safety; each setting names the chapter it is from.

Late acknowledgement needs none: "jobs aren't removed from the queue until they've either succeeded or failed" (Usage).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import redis
from arq import ArqRedis, Retry, create_pool
from arq.connections import RedisSettings
from arq.jobs import Job, JobStatus
from arq.worker import func
from psycopg_pool import PoolTimeout
from redis.asyncio.retry import Retry as RedisRetry
from redis.backoff import ExponentialBackoff
from starlette.applications import Starlette

from alternatives.common.async_store import AsyncStore
from alternatives.common.dead_letters import bury
from alternatives.common.statements import HARDENED

#: Of a retry's first and longest pause, in seconds.
BASE_S = float(os.environ.get("RETRY_BASE_S", "1"))
CAP_S = float(os.environ.get("RETRY_CAP_S", "30"))
#: Seconds for a try, well below arq's own time-out: a job that arq ends has failed, and is not tried again.
TRY_S, TIMEOUT_S = 5, 20
#: Milliseconds after which a job that nobody finished is dropped: a week (Reference, ArqRedis). A day otherwise.
EXPIRES_MS = 7 * 86_400_000

#: Reference, RedisSettings: commands are tried again when the connection breaks; otherwise the worker ends.
REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])
REDIS.retry = RedisRetry(ExponentialBackoff(cap=1, base=0.05), 20)
REDIS.retry_on_error = [redis.ConnectionError, redis.TimeoutError, OSError]  # the last: a connection refused


async def store_event(ctx: dict[str, Any], event: dict[str, Any]) -> None:
    """The job."""
    try:
        async with asyncio.timeout(TRY_S):
            await _store(ctx, event)
    except (psycopg.Error, PoolTimeout, TimeoutError) as e:  # Retrying jobs: nothing but Retry is tried again
        raise Retry(defer=min(CAP_S, BASE_S * 2 ** min(ctx["job_try"] - 1, 20))) from e


async def _store(ctx: dict[str, Any], event: dict[str, Any]) -> None:
    try:
        await ctx["store"].insert(event)
    except psycopg.DataError as e:  # there is no dead letter queue
        await asyncio.to_thread(bury, event, e, ctx["job_try"])


async def startup(ctx: dict[str, Any]) -> None:
    """Open what jobs share.

    PostgreSQL's manual has the time-outs: "Database Connection Control Functions" and, for statement_timeout, "Client
    Connection Defaults".
    """
    ctx["store"] = await AsyncStore(
        HARDENED, connect_timeout=5, options="-c statement_timeout=5000", tcp_user_timeout=5000
    ).__aenter__()


async def shutdown(ctx: dict[str, Any]) -> None:
    """Close it."""
    await ctx["store"].__aexit__(None, None, None)


class WorkerSettings:
    """What the command `arq` reads."""

    #: Reference, func: a job of a dead worker is free after timeout + 10 s (310 s otherwise); max_tries is 5 otherwise,
    #: and an outage may be longer than any count.
    functions = (func(store_event, timeout=TIMEOUT_S, max_tries=1_000_000),)
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = REDIS
    job_completion_wait = 5  # Reference, Worker: SIGTERM lets jobs end for as long; 0 otherwise, and they are cancelled
    expires_extra_ms = EXPIRES_MS


queue: ArqRedis


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The intake's connections."""
    global queue
    queue = await create_pool(REDIS, expires_extra_ms=EXPIRES_MS)
    yield


async def enqueue(event: dict[str, Any]) -> None:
    """Job Uniqueness: an id that is queued, or whose result is still kept (an hour), is not enqueued again.

    None says so, and is returned as well when the connection broke: whether there is such a job, its status tells
    (Reference, Job.status). Raises ConnectionError when there is none.
    """
    id_ = event["eventId"]
    job = await queue.enqueue_job("store_event", event, _job_id=id_)
    if job is None and await Job(id_, queue).status() is JobStatus.not_found:
        raise ConnectionError("the job was not enqueued, and there is none of its id")
