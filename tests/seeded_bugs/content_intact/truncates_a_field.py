"""Cuts a long description short, without a word."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

import msgspec

from reference_impl.__main__ import main
from reference_impl.event.event import Stamped
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="content_intact", shown_by="short_calm", shipped="calm", in_ci=True)

#: Characters that are kept.
KEPT = 20

enqueue = Intake.enqueue


async def cut(self: Intake, stamped: Stamped) -> None:
    if stamped.event.outcome_description is not None:
        stamped.event.outcome_description = stamped.event.outcome_description[:KEPT]
        stamped.encoded = msgspec.json.encode(stamped.event)
    await enqueue(self, stamped)


if __name__ == "__main__":
    Intake.enqueue = cut  # type: ignore[method-assign]
    sys.exit(main())
