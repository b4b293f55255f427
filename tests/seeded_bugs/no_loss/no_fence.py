"""Holds a lane by a lease that it never looks at again, and takes as many entries off the head as it has stored."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery import lease as lock
from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from reference_impl.store import connections
from reference_impl.store.connections import Connection
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="slow_worker_frozen", shipped="worker_frozen")

claim, beat = LaneAssignment.claim, LaneConsumer.heartbeat


async def claim_leased(self: LaneAssignment, connection: Connection, lanes: list[int]) -> LaneConsumer | None:
    """The lane whose lease in Redis is free; it runs out by itself."""
    for lane in lanes:
        if await self.redis.set(f"lease:{lane}", self.settings.process, nx=True, px=int(self.settings.lease_s * 500)):
            return await claim(self, connection, [lane])
    return None


async def beat_and_extend(self: LaneConsumer) -> None:
    await beat(self)
    await self.redis.set(f"lease:{self.number}", self.settings.process, px=int(self.settings.lease_s * 500))


async def take(connection: Connection, lanes: Sequence[int]) -> int | None:
    """The lease is all it asks for: no lock in the store."""
    return lanes[0] if lanes else None


async def pop(redis: Redis, lane: int, entries: list[Entry]) -> None:
    """As from a list: whoever else has taken some meanwhile, the next ones go."""
    first = await redis.xrange(streams.key(lane), count=len(entries))
    if first:
        await redis.xdel(streams.key(lane), *[id_ for id_, _ in cast(Any, first)])


if __name__ == "__main__":
    LaneAssignment.claim = claim_leased  # type: ignore[method-assign]
    LaneConsumer.heartbeat = beat_and_extend  # type: ignore[method-assign]
    lock.try_acquire = take
    streams.remove = pop
    connections.IDLE_SHARE = 100  # no session is ended for its silence
    sys.exit(main())
