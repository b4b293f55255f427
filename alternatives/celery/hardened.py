"""Celery as its manual says for work that must not be lost; each setting names the chapter that asks for it.

Celery has no dead letters: a task whose retries are used up is acknowledged and gone, so a store that is unavailable is
retried without end. Every time below is scaled to a shake of half a minute; their order is the manual's.
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
from celery import Celery

from alternatives.common import statements
from alternatives.common.store import Store

#: Longer than the longest countdown and the longest task (Using Redis, Caveats: Visibility timeout).
VISIBILITY_S = 20

app = Celery("tasks", broker=os.environ["REDIS_URL"])
app.conf.update(
    # User Guide, Tasks (acks_late), and FAQ "Should I use retry or acks_late?": for tasks that are idempotent
    task_acks_late=True,
    # User Guide, Configuration: a message whose child process died is queued again
    task_reject_on_worker_lost=True,
    # User Guide, Optimizing, "Reserve one task at a time": a worker that dies holds few
    worker_prefetch_multiplier=1,
    # Using Redis, Caveats, Visibility timeout: "required to set all of them"
    visibility_timeout=VISIBILITY_S,
    result_backend_transport_options={"visibility_timeout": VISIBILITY_S},
    broker_transport_options={
        "visibility_timeout": VISIBILITY_S,
        # Kombu, Redis transport: how often abandoned messages are looked for; 100 s by default
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # Kombu, Redis transport: "without it, a publish waits forever on the dead connection"
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 5,
    },
    # User Guide, Configuration: a worker does not give up on its broker
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # User Guide, Configuration: what cannot be acknowledged any more is stopped, since it is delivered again
    worker_cancel_long_running_tasks_on_connection_loss=True,
    # User Guide, Tasks, "task may block indefinitely": shorter than the visibility timeout
    task_time_limit=10,
    # Reference, celery.app.task, Task.acks_on_timeout: a task ended for its time is queued again, not acknowledged
    task_acks_on_timeout=False,
    # User Guide, Workers, Soft shutdown: time to finish, or to queue again, before the end
    worker_soft_shutdown_timeout=5,
)
# User Guide, Tasks, "task may block indefinitely": time-outs for I/O; together shorter than the task's. PostgreSQL's
# manual, "Database Connection Control Functions" and, for statement_timeout, "Client Connection Defaults"
store = Store(statements.HARDENED, connect_timeout=3, options="-c statement_timeout=5000", tcp_user_timeout=5000)


# User Guide, Tasks, "Automatic retry for known exceptions"; max_retries=None: without end. The same,
# Task.dont_autoretry_for: what the store refuses for its content is refused again
@app.task(
    autoretry_for=(psycopg.Error,),
    dont_autoretry_for=(psycopg.DataError, psycopg.IntegrityError),
    retry_backoff=True,
    retry_backoff_max=8,
    max_retries=None,
)
def record(event: dict[str, Any]) -> None:
    """Store one event; a second time it is there already (User Guide, Tasks: "should be idempotent")."""
    store.insert(event)
