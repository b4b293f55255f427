"""Looks whether it has an id already, then takes the event: two requests at once both find that it has not."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event.event import Stamped
from reference_impl.ingest.intake import Intake
from reference_impl.store import writer
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_duplicates", shown_by="short_calm", shipped="calm")

#: Seconds for which an id is known: longer than a run.
KNOWN_S = 3600

ONLY_NEW = "fresh join won using (event_id)"
enqueue = Intake.enqueue


async def enqueue_unknown(self: Intake, stamped: Stamped) -> None:
    key = f"known:{stamped.event_id}"
    if await self.pipeline.redis.exists(key):
        return
    await enqueue(self, stamped)
    await self.pipeline.redis.set(key, b"", ex=KNOWN_S)


if __name__ == "__main__":
    assert ONLY_NEW in writer.INSERT
    writer.INSERT = writer.INSERT.replace(ONLY_NEW, "fresh")
    Intake.enqueue = enqueue_unknown  # type: ignore[method-assign]
    sys.exit(main())
