"""RQ as its quick start shows (index, "Getting Started"): a queue, a function, `enqueue`, and no option at all."""

from __future__ import annotations

import os
from typing import Any

from redis import Redis
from rq import Queue, Worker

from alternatives.common import statements
from alternatives.common.store import Store

q = Queue(connection=Redis.from_url(os.environ["REDIS_URL"]))
store = Store(statements.DEFAULTS)


def record(event: dict[str, Any]) -> None:
    """Store one event."""
    store.insert(event)


def enqueue(event: dict[str, Any]) -> None:
    """Hand it to RQ."""
    q.enqueue(record, event)


def work() -> None:
    """`rq worker --with-scheduler`, with this module imported before the forks (Workers, "Performance Notes")."""
    Worker([q], connection=q.connection).work(with_scheduler=True)
