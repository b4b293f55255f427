"""Writes down who holds a lane, and a worker that dies never gives it back: its lanes are served by nobody."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.store.connections import Connection
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="recovers_in_time", shown_by="one_worker_killed", shipped="worker_killed", because="backlog: never")

claim, run = LaneAssignment.claim, LaneConsumer.run


async def claim_unowned(self: LaneAssignment, connection: Connection, lanes: list[int]) -> LaneConsumer | None:
    """Only what has no owner, or is our own by name and incarnation."""
    me = f"{self.settings.process}.{self.settings.incarnation}".encode()
    owners = [await self.redis.get(f"owner:{lane}") for lane in lanes]
    free = [lane for lane, owner in zip(lanes, owners, strict=True) if owner in (None, me)]
    lane = await claim(self, connection, free)
    if lane:
        await self.redis.set(f"owner:{lane.number}", me)
    return lane


async def run_and_release(self: LaneConsumer) -> None:
    await run(self)
    await self.redis.delete(f"owner:{self.number}")


if __name__ == "__main__":
    LaneAssignment.claim = claim_unowned  # type: ignore[method-assign]
    LaneConsumer.run = run_and_release  # type: ignore[method-assign]
    sys.exit(main())
