"""Counts the entries of a lane once, and trims the lane to the number left: new entries push out old ones."""

from __future__ import annotations

import sys
from pathlib import Path

from redis.asyncio import Redis

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="postgres_outage")

run, remove = LaneConsumer.run, streams.remove
left: dict[int, int] = {}  # by lane


async def run_counted(self: LaneConsumer) -> None:
    left[self.number] = await self.redis.xlen(streams.key(self.number))
    await run(self)


async def trim(redis: Redis, lane: int, entries: list[Entry]) -> None:
    left[lane] = left.get(lane, 0) - len(entries)
    if left[lane] > 0:
        await redis.xtrim(streams.key(lane), maxlen=left[lane], approximate=False)
    else:
        await remove(redis, lane, entries)


if __name__ == "__main__":
    LaneConsumer.run = run_counted  # type: ignore[method-assign]
    streams.remove = trim
    sys.exit(main())
