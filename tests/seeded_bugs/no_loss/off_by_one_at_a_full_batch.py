"""Reads one entry more than a batch may hold, stores a full batch, and deletes all that it has read."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="postgres_outage")

deliver = LaneConsumer.deliver


async def one_more(self: LaneConsumer) -> list[Entry]:
    return await streams.head(self.redis, self.number, self.settings.batch_size + 1, self.settings.batch_bytes)


async def deliver_and_delete(self: LaneConsumer, entries: list[Entry], trial: bool = False) -> None:
    full, rest = entries[: self.settings.batch_size], entries[self.settings.batch_size :]
    await deliver(self, full, trial)
    if rest:
        await streams.remove(self.redis, self.number, rest)


if __name__ == "__main__":
    LaneConsumer.read_head = one_more  # type: ignore[method-assign]
    LaneConsumer.deliver = deliver_and_delete  # type: ignore[method-assign]
    sys.exit(main())
