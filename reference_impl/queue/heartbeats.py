"""Heartbeats: what each live worker tells the others and `/health`, in the queue's server, for half a lease."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_impl.queue import streams

#: Part of the lease for which a heartbeat is fresh: a dead worker's lanes are shared out within the lease.
FRESH_SHARE = 0.5
#: What a client raises while the queue's server does not answer.
QUEUE_AWAY = (RedisError, OSError)


class Heartbeat(msgspec.Struct, frozen=True, rename="camel"):
    """One worker's word. Times are UTC seconds."""

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
    """Say that this worker lives. Where memory is short and writes are refused, at least keep the last word alive."""
    key, fresh_ms = _key(heartbeat.worker), int(lease_s * FRESH_SHARE * 1000)
    async with redis.pipeline(transaction=False) as pipe:
        pipe.sadd(streams.WORKERS, heartbeat.worker)
        pipe.set(key, msgspec.json.encode(heartbeat), px=fresh_ms)
        pipe.pexpire(key, fresh_ms)
        answers = await pipe.execute(raise_on_error=False)
    if any(isinstance(answer, tuple(streams.DEMOTED.values())) for answer in answers):
        await streams.leave(redis)


async def farewell(redis: Redis, worker: str) -> None:
    """Say that this worker has stopped, so that nobody waits for it."""
    await redis.delete(_key(worker))


async def live(redis: Redis) -> list[Heartbeat]:
    """The workers whose heartbeat is fresh, by name."""
    names = sorted(name.decode() for name in await _members(redis))
    found = await redis.mget([_key(name) for name in names]) if names else []
    await _forget(redis, [name for name, word in zip(names, found, strict=True) if word is None])
    return [beat for word in found if word is not None and (beat := _understood(word))]


def _understood(word: bytes | str) -> Heartbeat | None:
    """None for somebody else's word, or another version's: of that worker nothing is known."""
    try:
        return _decode(word)
    except msgspec.MsgspecError:
        return None


async def _members(redis: Redis) -> Any:
    return await redis.smembers(streams.WORKERS)


async def _forget(redis: Redis, gone: list[str]) -> None:
    """A worker that beats again enters itself again."""
    if gone:
        await redis.srem(streams.WORKERS, *gone)


def _key(worker: str) -> str:
    return f"intake:worker:{worker}"
