"""RQ's FailedJobRegistry as dead letters (Job Registries; Exceptions & Retries, "Default: FailedJobRegistry")."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job

#: Of its own: it is asked for while Redis is unavailable, and must not wait there.
queue = Queue(
    connection=Redis.from_url(
        os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )
)


def count() -> int:
    """How many jobs failed for good."""
    return queue.failed_job_registry.get_job_count(cleanup=False)


def page(offset: int, limit: int) -> Iterator[dict[str, Any]]:
    """The failed jobs, oldest first."""
    ids = queue.failed_job_registry.get_job_ids(offset, offset + limit - 1, cleanup=False)
    for job in Job.fetch_many(ids, connection=queue.connection):
        if job is not None:
            yield _letter(job)


def _letter(job: Job) -> dict[str, Any]:
    (event,) = job.args
    results = [result for result in job.results() if result.exc_string]
    times = sorted(result.created_at.isoformat() for result in results)
    return {
        "event_id": event["eventId"],
        "event": event,
        "cause": _kind(results[0].exc_string) if results else "",
        "attempts": len(results),
        "first_failed_at": times[0] if times else None,
        "last_failed_at": times[-1] if times else None,
        "history": [{"at": r.created_at.isoformat(), "error": _kind(r.exc_string)} for r in results],
    }


def _kind(trace: str | None) -> str:
    """The kind of error, or RQ's own sentence: never an exception's message, which may hold the event's content."""
    said = [line for line in (trace or "").splitlines() if line and not line[0].isspace()]
    return said[-1].partition(": ")[0] if said else ""
