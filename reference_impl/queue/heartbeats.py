"""Heartbeats: the state that each active worker publishes in the queue's server, valid for half a lease."""

from contextlib import suppress
from typing import Any, cast

import msgspec
from redis.asyncio import Redis

from reference_impl.queue import streams

#: Share of the lease for which a heartbeat is valid: the lanes of a dead worker are shared out within the lease.
FRESH_SHARE = 0.5


class Heartbeat(msgspec.Struct, frozen=True, rename="camel"):
    """The state of one worker. Times are UTC seconds."""

    worker: str
    incarnation: str
    circuit_breaker_state: str
    lanes: list[int]
    rounds: int  # within the window
    failed_rounds: int  # of those
    committed_at: float  # the last batch; 0: none yet
    dead_letters: int  # of all workers, when it counted them
    dead_letters_recent: int  # within the window before
    counted_at: float = 0.0  # the last count; it counts while it holds a lane


_decode = msgspec.json.Decoder(Heartbeat).decode


async def beat(redis: Redis, heartbeat: Heartbeat, lease_s: float) -> None:
    """Publish a heartbeat. Where the server refuses writes for lack of memory, the last one stays valid."""
    key, valid_ms = _key(heartbeat.worker), int(lease_s * FRESH_SHARE * 1000)
    async with redis.pipeline(transaction=False) as pipe:
        pipe.sadd(streams.WORKERS, heartbeat.worker)
        pipe.set(key, msgspec.json.encode(heartbeat), px=valid_ms)
        pipe.pexpire(key, valid_ms)
        replies = await pipe.execute(raise_on_error=False)
    if any(isinstance(reply, streams.DEMOTED) for reply in replies):
        await streams.leave(redis)


async def deregister(redis: Redis, worker: str) -> None:
    """Remove the heartbeat of a worker that has stopped, so that the others do not wait for it to expire."""
    await redis.delete(_key(worker))


async def active_workers(redis: Redis) -> list[Heartbeat]:
    """The workers whose heartbeat is valid, by name; the names of the others are removed."""
    names = sorted(name.decode() for name in await cast(Any, redis.smembers(streams.WORKERS)))
    found = await redis.mget([_key(name) for name in names]) if names else []
    if expired := [name for name, packed in zip(names, found, strict=True) if packed is None]:
        await cast(Any, redis.srem(streams.WORKERS, *expired))
    workers = []
    for packed in found:
        with suppress(msgspec.MsgspecError):  # absent, or written by another program or version
            workers.append(_decode(packed or b""))
    return workers


def _key(worker: str) -> str:
    return f"intake:worker:{worker}"
