"""Takes a batch out of the queue before it stores it, and ends at once when it is told to."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="worker_terminated", shipped="enqueue_replies_lost")

#: Seconds that it gathers before it writes.
GATHER_S = 0.4

deliver = LaneConsumer.deliver


async def gather(self: LaneConsumer, entries: list[Entry], trial: bool = False) -> None:
    await streams.remove(self.redis, self.number, entries)
    await self.sleep(GATHER_S)  # raises when it is told to stop, and what it holds is gone
    await deliver(self, entries, trial)


if __name__ == "__main__":
    LaneConsumer.deliver = gather  # type: ignore[method-assign]
    sys.exit(main())
