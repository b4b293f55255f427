"""Dramatiq's dead letter queue (User Guide, Dead Letters): default.XQ, which keeps a message for up to 7 days.

A sorted set of ids by when they died, in ms, and a hash of the messages (brokers/redis/dispatch.lua).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from redis import Redis

KEY = "dramatiq:default.XQ"

client = Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


def count() -> int:
    """How many messages are there."""
    return int(client.zcard(KEY))


def page(offset: int, limit: int) -> Iterator[dict[str, Any]]:
    """The messages, oldest first."""
    dead: Any = client.zrange(KEY, offset, offset + limit - 1, withscores=True)
    if dead:
        messages: Any = client.hmget(f"{KEY}.msgs", [id_ for id_, _ in dead])
        for message, (_, died_ms) in zip(messages, dead, strict=True):
            if message is not None:
                yield _letter(json.loads(message), died_ms / 1000)


def _letter(message: dict[str, Any], died: float) -> dict[str, Any]:
    """A message that the actor's `throws` ended carries no traceback."""
    (event,), options = message["args"], message["options"]
    at, tried = datetime.fromtimestamp(died, UTC).isoformat(), options.get("retries", 0)
    first = at if not tried else datetime.fromtimestamp(message["message_timestamp"] / 1000, UTC).isoformat()
    trace = [line for line in options.get("traceback", "").splitlines() if line.strip()]
    cause = trace[-1].partition(":")[0] if trace else "an error of a kind that the actor does not retry"
    attempts = max(tried, 1)
    return {
        "event_id": event["eventId"],
        "event": event,
        "cause": cause,
        "attempts": attempts,
        "first_failed_at": first,
        "last_failed_at": at,
        "history": [{"at": at, "attempt": attempts, "error": cause}],
    }
