"""Deletes a batch from the queue before the store has committed it: a batch that fails is lost."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="short_outage", shipped="postgres_outage")

deliver = LaneConsumer.deliver


async def hasty(self: LaneConsumer, entries: list[Entry], trial: bool = False) -> None:
    await streams.remove(self.redis, self.number, entries)
    await deliver(self, entries, trial)


if __name__ == "__main__":
    LaneConsumer.deliver = hasty  # type: ignore[method-assign]
    sys.exit(main())
