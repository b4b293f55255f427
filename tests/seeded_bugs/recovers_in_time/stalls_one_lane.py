"""Once lane 0 has failed, it waits for a signal that nobody sends; all others go on."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import WAIT_S, Batch, LaneConsumer
from reference_impl.queue.streams import Entry
from reference_impl.store.writer import BatchResult
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="recovers_in_time", shown_by="outage", shipped="postgres_outage", because="backlog: never")

put, head = LaneConsumer.put, LaneConsumer.read_head
stalled: set[int] = set()


async def remember(self: LaneConsumer, batch: Batch) -> BatchResult:
    try:
        return await put(self, batch)
    except Exception:
        stalled.add(0)
        raise


async def look_away(self: LaneConsumer) -> list[Entry]:
    if self.number in stalled:
        await self.sleep(WAIT_S)
        return []
    return await head(self)


if __name__ == "__main__":
    LaneConsumer.put = remember  # type: ignore[method-assign]
    LaneConsumer.read_head = look_away  # type: ignore[method-assign]
    sys.exit(main())
