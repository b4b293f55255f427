"""Looks whether the store is back while its breaker is open."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import psycopg

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.errors import StoreError
from reference_impl.resilience.circuit_breaker import OPEN
from reference_impl.store import connections
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="outage", shipped="postgres_outage", because="sent while open")

#: Seconds between two looks.
LOOK_S = 0.3

sit_out = LaneAssignment.wait_while_open


async def curious(self: LaneAssignment) -> None:
    looking = asyncio.create_task(look(self))
    try:
        await sit_out(self)
    finally:
        looking.cancel()


async def look(self: LaneAssignment) -> None:
    while self.breaker.state == OPEN:
        await asyncio.sleep(LOOK_S)
        with suppress(psycopg.Error, StoreError, OSError):
            await connections.close(await connections.connect(self.settings))


if __name__ == "__main__":
    LaneAssignment.wait_while_open = curious  # type: ignore[method-assign]
    sys.exit(main())
