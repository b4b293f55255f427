"""A sender for alternatives/order-stream.toml: XADD to the stream of the order service, without its intake."""

from __future__ import annotations

import os

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shaketable.op import Outcome

#: The worker's stream, in alternatives/order_service/intake.py.
STREAM = "orders"


class Xadd:
    """Adds orders over one connection, which does not retry by itself."""

    def open(self) -> None:
        """Connect."""
        url, no_retries = os.environ["REDIS_URL"], Retry(NoBackoff(), 0)
        self._redis = redis.from_url(url, retry=no_retries, socket_timeout=3, single_connection_client=True)

    def send(self, event_id: str, body: bytes) -> Outcome:
        """Return once Redis has the order; whatever else happens, it raises, and the order may be there."""
        self._redis.xadd(STREAM, {"id": event_id, "order": body})
        return Outcome.ACKNOWLEDGED

    def close(self) -> None:
        """Disconnect."""
        self._redis.close()
