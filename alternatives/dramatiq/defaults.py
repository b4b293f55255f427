"""As Dramatiq's user guide shows (Actors, Workers, Redis Broker): one actor, one broker, nothing else.

A message that fails is retried up to 20 times, the first after 15 to 30 s; then it lies in `default.XQ` for 7 days. A
worker that died is noticed after 60 s without a heartbeat, by one command in a thousand.
"""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from alternatives.common.statements import DEFAULTS
from alternatives.common.store import Store

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))
store = Store(DEFAULTS)


@dramatiq.actor
def store_event(event: dict[str, Any]) -> None:
    """The job."""
    store.insert(event)
