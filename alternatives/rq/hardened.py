"""RQ as its manual says for work that must not be lost; each setting names the chapter that asks for it.

Times are scaled to a shake of half a minute, but for one that is no setting: the job of a worker that died is looked
for once its heartbeat is 60 s overdue (`Worker.get_heartbeat_ttl`).
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
from redis import Redis
from rq import Queue, Retry, Worker
from rq.job import Job

from alternatives.common import statements
from alternatives.common.store import Store

#: Seconds between tries, the last one again and again; as many tries as a long outage takes.
INTERVALS_S, TRIES = [1, 2, 4, 8], 100

q = Queue(connection=Redis.from_url(os.environ["REDIS_URL"]), default_timeout=10)  # Jobs, `job_timeout`
#: Shorter than the job's time. PostgreSQL's manual, "Database Connection Control Functions" and, for statement_timeout,
#: "Client Connection Defaults".
store = Store(statements.HARDENED, connect_timeout=3, options="-c statement_timeout=5000", tcp_user_timeout=5000)


def record(event: dict[str, Any]) -> None:
    """Store one event; a second time it is there already."""
    store.insert(event)


def enqueue(event: dict[str, Any]) -> None:
    """Hand it to RQ."""
    # Exceptions & Retries, "Retrying Failed Jobs": also what a worker abandoned is retried, while tries are left
    # Jobs, `failure_ttl`: what failed for good is kept for a year, the default; `result_ttl`: what did well is not
    q.enqueue(record, event, retry=Retry(max=TRIES, interval=INTERVALS_S), result_ttl=0)


def give_up(job: Job, kind: type[BaseException], *_: Any) -> None:
    """What the store refuses for its content is refused again: it fails at once, and lies in the FailedJobRegistry."""
    if issubclass(kind, psycopg.DataError | psycopg.IntegrityError):
        job.retries_left = 0


def work() -> None:
    """A worker that looks often for what others abandoned; a supervisor starts it again (`__main__`)."""
    # Workers, "Worker Arguments": --maintenance-interval, and --with-scheduler, without which nothing is retried
    # Connections, "Timeout": a worker waits for a job for worker_ttl - 15 s, and does no maintenance meanwhile
    # In no chapter, only `rq worker --help`: --job-monitoring-interval, how often a job's heartbeat is renewed (30 s)
    # Exceptions & Retries, "Custom Exception Handlers": called before it is decided whether to retry
    # Workers, "Worker Arguments": --disable-job-desc-logging, or the log holds every event
    worker = Worker(
        [q],
        connection=q.connection,
        maintenance_interval=5,
        job_monitoring_interval=5,
        exception_handlers=[give_up],
        log_job_description=False,
        worker_ttl=20,
    )
    worker.work(with_scheduler=True)
