"""Puts the events of a batch that failed back into the queue, the last one first, as onto a stack."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="order_kept", shown_by="short_outage", shipped="postgres_outage")

deliver = LaneConsumer.deliver


async def put_back(self: LaneConsumer, entries: list[Entry], trial: bool = False) -> None:
    try:
        await deliver(self, entries, trial)
    except Exception:
        for entry in reversed(entries):
            await self.redis.xadd(
                streams.key(self.number), dict(zip(entry.fields[::2], entry.fields[1::2], strict=True))
            )
        await streams.remove(self.redis, self.number, entries)
        raise


if __name__ == "__main__":
    LaneConsumer.deliver = put_back  # type: ignore[method-assign]
    sys.exit(main())
