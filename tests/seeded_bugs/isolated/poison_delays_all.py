"""While one lane looks for poison, all others wait; and it looks without hurry."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.dead_letters.isolation import Isolation
from reference_impl.delivery.consumer import Batch, LaneConsumer
from reference_impl.store.writer import BatchResult
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="isolated", shown_by="few_poison", shipped="poison", because="events of others", in_ci=True)

#: Seconds that it looks for one poisonous event.
LOOK_S = 2.5

put, run = LaneConsumer.put, Isolation.run
one_at_a_time = asyncio.Lock()


async def in_turn(self: LaneConsumer, batch: Batch) -> BatchResult:
    async with one_at_a_time:
        return await put(self, batch)


async def slowly(self: Isolation) -> BatchResult:
    tally = await run(self)
    await asyncio.sleep(LOOK_S)
    return tally


if __name__ == "__main__":
    LaneConsumer.put = in_turn  # type: ignore[method-assign]
    Isolation.run = slowly  # type: ignore[method-assign]
    sys.exit(main())
