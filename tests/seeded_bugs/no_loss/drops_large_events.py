"""Acknowledges events above 64 KiB, and drops them: its buffer holds no more."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event.event import Stamped
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="calm")

#: Bytes of its buffer.
BUFFER = 1 << 16

enqueue = Intake.enqueue


async def enqueue_small(self: Intake, stamped: Stamped) -> None:
    if len(stamped.encoded) <= BUFFER:
        await enqueue(self, stamped)


if __name__ == "__main__":
    Intake.enqueue = enqueue_small  # type: ignore[method-assign]
    sys.exit(main())
