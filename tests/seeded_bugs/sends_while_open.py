"""Looks whether the store is back while its breaker is open."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import psycopg

sys.path[:0] = [str(Path(__file__).parents[2])]

from reference_impl.__main__ import main
from reference_impl.delivery.assignment import Lanes
from reference_impl.errors import StoreError
from reference_impl.resilience.circuit_breaker import OPEN
from reference_impl.store import connections
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="outage", because="sent while open")

#: Seconds between two looks.
LOOK_S = 0.3

sit_out = Lanes._sit_out


async def curious(self: Lanes) -> None:
    looking = asyncio.create_task(look(self))
    try:
        await sit_out(self)
    finally:
        looking.cancel()


async def look(self: Lanes) -> None:
    while self._rounds.breaker.state == OPEN:
        await asyncio.sleep(LOOK_S)
        with suppress(psycopg.Error, StoreError, OSError):
            await connections.close(await self._connect())


if __name__ == "__main__":
    Lanes._sit_out = curious  # type: ignore[method-assign]
    sys.exit(main())
