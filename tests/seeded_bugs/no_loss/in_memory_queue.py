"""Keeps what it has acknowledged in memory, and gives it to the queue now and then."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event.event import Stamped
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="intake_killed", shipped="ingest_killed")

#: Seconds between two flushes.
EVERY_S = 1.0

enqueue = Intake.enqueue
held: list[Stamped] = []
flushing: list[asyncio.Task[None]] = []


async def remember(self: Intake, stamped: Stamped) -> None:
    held.append(stamped)
    if not flushing:
        flushing.append(asyncio.create_task(flush(self)))


async def flush(self: Intake) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        while held:
            await enqueue(self, held[0])
            del held[0]


if __name__ == "__main__":
    Intake.enqueue = remember  # type: ignore[method-assign]
    sys.exit(main())
