"""As Dramatiq's manual says for safety; each setting names the chapter it is from.

Late acknowledgement needs none: "messages are only ever acknowledged after they have been successfully processed"
(Advanced Topics, Message Persistence).
"""

from __future__ import annotations

import os
from typing import Any

import dramatiq
import psycopg
from dramatiq.brokers.redis import RedisBroker

from alternatives.common.statements import HARDENED
from alternatives.common.store import Store

#: Seconds for which a dead worker may hold messages, and of a retry's first and longest pause.
LEASE_S = float(os.environ.get("LEASE_S", "10"))
BASE_S = float(os.environ.get("RETRY_BASE_S", "1"))
CAP_S = float(os.environ.get("RETRY_CAP_S", "30"))

#: API Reference, RedisBroker. Who sent no heartbeat for this long is dead; 60 s otherwise. One command in ten looks for
#: the dead: with the default, one in a thousand, that takes minutes in a queue with little to do.
broker = RedisBroker(url=os.environ["REDIS_URL"], heartbeat_timeout=int(LEASE_S * 1000), maintenance_chance=100_000)
#: Best Practices, Retriable Actors: "running your actor multiple times must be safe". User Guide, Message Time Limits:
#: "always specify a timeout for the request itself": PostgreSQL's manual, "Database Connection Control Functions" and,
#: for statement_timeout, "Client Connection Defaults".
store = Store(HARDENED, connect_timeout=5, options="-c statement_timeout=5000", tcp_user_timeout=5000)

dramatiq.set_broker(broker)


@dramatiq.actor(
    max_retries=None,  # User Guide, Message Retries: indefinitely, since an outage may be longer than any count
    min_backoff=int(BASE_S * 1000),  # the same: 15 s otherwise
    max_backoff=int(CAP_S * 1000),  # the same: "higher values are less reliable"; 7 days otherwise
    throws=psycopg.DataError,  # the same, and Dead Letters: what must not be retried goes to default.XQ at once
    time_limit=30_000,  # User Guide, Message Time Limits: 10 minutes otherwise
)
def store_event(event: dict[str, Any]) -> None:
    """The job."""
    store.insert(event)
