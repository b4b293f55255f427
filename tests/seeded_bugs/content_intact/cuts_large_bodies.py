"""Keeps the first 64 KiB of an event's texts: its column holds no more, and cuts without an error."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event.event import Stamped
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="content_intact", shown_by="calm", because="cut short")

#: Characters that its column holds.
COLUMN = 1 << 16

enqueue = Intake.enqueue


async def cut(self: Intake, stamped: Stamped) -> None:
    if len(stamped.encoded) > COLUMN and stamped.event.details:
        members = stamped.event.details.items()
        stamped.event.details = {name: v[:COLUMN] if isinstance(v, str) else v for name, v in members}
        stamped.encoded = msgspec.json.encode(stamped.event)
    await enqueue(self, stamped)


if __name__ == "__main__":
    Intake.enqueue = cut  # type: ignore[method-assign]
    sys.exit(main())
