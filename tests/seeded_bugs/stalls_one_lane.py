"""Once lane 0 has failed, it waits for a signal that nobody sends; all others go on."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import WAIT_S, Batch, Lane
from reference_impl.queue.streams import Entry
from reference_impl.store.writer import Tally
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="recovers_in_time", shown_by="outage", because="backlog: never")

put, head = Lane.put, Lane._head
stalled: set[int] = set()


async def remember(self: Lane, batch: Batch) -> Tally:
    try:
        return await put(self, batch)
    except Exception:
        stalled.add(0)
        raise


async def look_away(self: Lane) -> list[Entry]:
    if self.number in stalled:
        await self._sleep(WAIT_S)
        return []
    return await head(self)


if __name__ == "__main__":
    Lane.put = remember  # type: ignore[method-assign]
    Lane._head = look_away  # type: ignore[method-assign]
    sys.exit(main())
