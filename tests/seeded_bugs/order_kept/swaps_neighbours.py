"""After a failed round it takes each two neighbours of the next batch in the other order."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="order_kept", shown_by="postgres_outage")

deliver, read_head = LaneConsumer.deliver, LaneConsumer.read_head
failed = [False]


async def remember(self: LaneConsumer, entries: list[Entry], trial: bool = False) -> None:
    try:
        await deliver(self, entries, trial)
    except Exception:
        failed[0] = True
        raise


async def swapped(self: LaneConsumer) -> list[Entry]:
    entries = await read_head(self)
    if failed[0] and len(entries) > 1:
        failed[0] = False
        pairs = [entries[n : n + 2][::-1] for n in range(0, len(entries), 2)]
        return [entry for pair in pairs for entry in pair]
    return entries


if __name__ == "__main__":
    LaneConsumer.deliver = remember  # type: ignore[method-assign]
    LaneConsumer.read_head = swapped  # type: ignore[method-assign]
    sys.exit(main())
