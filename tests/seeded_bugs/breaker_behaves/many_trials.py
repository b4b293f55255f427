"""While half-open it lets several trials go at once."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import psycopg

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.errors import StoreError
from reference_impl.store import connections
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="outage", shipped="postgres_outage", because="many trials")

trial = LaneAssignment.trial


async def eager(self: LaneAssignment) -> None:
    for _ in range(3):
        with suppress(psycopg.Error, StoreError, OSError):
            await connections.close(await self.gate.connect())
    await trial(self)


if __name__ == "__main__":
    LaneAssignment.trial = eager  # type: ignore[method-assign]
    sys.exit(main())
