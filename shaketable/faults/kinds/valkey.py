"""The harness's own session at the queue's server, past every link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shaketable.errors import HarnessError
from shaketable.faults.fault import Fault, FaultContext
from shaketable.stack.stack import OWN_NAME

Client = redis.Redis

#: Seconds that one command may take; a pause is shorter.
ASK_S = 5


class ValkeyFault(Fault):
    """A fault in the server of Redis itself: it affects every process that needs the server."""

    def blocks_intake(self, context: FaultContext) -> bool:
        return context.services.queue == "redis"

    def targets(self, context: FaultContext) -> list[str]:
        context.services.server("redis")
        return [link.name for link in context.links.to("redis")]


@contextmanager
def admin(context: FaultContext) -> Iterator[redis.Redis]:
    """A client that tries nothing twice. Raises HarnessError."""
    client = redis.Redis.from_url(
        context.services.redis_url,
        socket_timeout=ASK_S,
        socket_connect_timeout=ASK_S,
        retry=Retry(NoBackoff(), 0),
        client_name=OWN_NAME,
    )
    try:
        with client:
            yield client
    except redis.RedisError as e:
        raise HarnessError(f"the queue's server did not do what a fault asked of it: {e}") from e


def setting(client: redis.Redis, name: str) -> str:
    """A setting's value, from CONFIG GET."""
    return str(client.config_get(name)[name])  # type: ignore[no-untyped-call,unused-ignore]


def set_(client: redis.Redis, name: str, value: str) -> None:
    """CONFIG SET."""
    client.config_set(name, value)  # type: ignore[no-untyped-call,unused-ignore]
