"""At SIGTERM it takes the batches in hand out of the queue, so that nobody delivers them twice, and ends at once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="enqueue_replies_lost")

deliver, stop = LaneConsumer.deliver, LaneAssignment.stop
in_hand: dict[LaneConsumer, list[Entry]] = {}
removing: set[asyncio.Task[None]] = set()


async def deliver_noted(self: LaneConsumer, entries: list[Entry], trial: bool = False) -> None:
    in_hand[self] = entries
    try:
        await deliver(self, entries, trial)
    finally:
        del in_hand[self]


def stop_at_once(self: LaneAssignment) -> None:
    stop(self)
    removing.update(asyncio.create_task(streams.remove(c.redis, c.number, batch)) for c, batch in in_hand.items())
    self.abort()


if __name__ == "__main__":
    LaneConsumer.deliver = deliver_noted  # type: ignore[method-assign]
    LaneAssignment.stop = stop_at_once  # type: ignore[method-assign]
    sys.exit(main())
