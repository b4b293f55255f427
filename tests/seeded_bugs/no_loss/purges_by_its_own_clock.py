"""Takes the age of dead letters by its own clock, so that one jump of it deletes all of them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.operations import maintenance
from reference_impl.settings import Settings
from reference_impl.store.connections import Connection
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="clock_jumps")


run_once = maintenance.run_once


async def by_its_own_clock(connection: Connection, settings: Settings, now: datetime) -> tuple[int, int]:
    return await run_once(connection, settings, datetime.now(UTC))


if __name__ == "__main__":
    maintenance.run_once = by_its_own_clock
    sys.exit(main())
