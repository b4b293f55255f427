"""As procrastinate's how-tos say for safety; each setting names its page."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import procrastinate
import psycopg
from procrastinate import JobContext, RetryStrategy

from alternatives.common.async_store import AsyncStore
from alternatives.common.dead_letters import bury
from alternatives.common.statements import HARDENED

#: Seconds for which a dead worker may hold jobs, and between two tries.
LEASE_S = float(os.environ.get("LEASE_S", "10"))
WAIT_S = int(float(os.environ.get("RETRY_BASE_S", "1")))
#: PostgreSQL's manual, "Database Connection Control Functions", and for statement_timeout "Client Connection Defaults".
CONNECTION: dict[str, Any] = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=5000",
    "tcp_user_timeout": 5000,
}

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(
        conninfo=os.environ["DATABASE_URL"],
        kwargs=CONNECTION,
        timeout=10,
    )
)
store = AsyncStore(HARDENED, **CONNECTION)


# How-to, Define a retry strategy: without a number of attempts, since an outage may be longer than any count
@app.task(retry=RetryStrategy(wait=max(1, WAIT_S)), pass_context=True)
async def store_event(context: JobContext, event: dict[str, Any]) -> None:
    """The task."""
    try:
        await store.insert(event)
    except psycopg.DataError as e:  # there is no dead letter queue
        await asyncio.to_thread(bury, event, e, context.job.attempts + 1)


# How-to, Retry stalled jobs; a cron expression with six fields begins with the minutes and ends with the seconds
@app.periodic(cron="* * * * * */2")
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Take over the jobs of workers without a heartbeat."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEASE_S):
        await app.job_manager.retry_job(job)


async def work() -> None:
    """Work until SIGTERM: it lets jobs end, within a time (How-to, Shut down a worker)."""
    async with store, app.open_async():
        await app.run_worker_async(
            concurrency=5,  # How-to, Launch a worker with concurrency
            shutdown_graceful_timeout=5,
            update_heartbeat_interval=LEASE_S / 3,  # the same page as above: adjusted with the time of a stalled one
            stalled_worker_timeout=LEASE_S,
            fetch_job_polling_interval=1,
        )
