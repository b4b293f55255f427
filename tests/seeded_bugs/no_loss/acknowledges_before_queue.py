"""Acknowledges an event, and only then gives it to the queue: what the queue refuses meanwhile is lost."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event.event import Stamped
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="queue_cut_off", shipped="enqueue_replies_lost", in_ci=True)

enqueue = Intake.enqueue
under_way: set[asyncio.Task[None]] = set()


def forget(task: asyncio.Task[None]) -> None:
    under_way.discard(task)
    task.exception()


async def later(self: Intake, stamped: Stamped) -> None:
    task = asyncio.create_task(enqueue(self, stamped))
    under_way.add(task)
    task.add_done_callback(forget)


if __name__ == "__main__":
    Intake.enqueue = later  # type: ignore[method-assign]
    sys.exit(main())
