"""Answers 202 to whatever comes, and drops what it cannot read."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.errors import RefusedError
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="refuses_rightly", shown_by="short_calm", shipped="calm", in_ci=True)

add = Intake.add


async def polite(self: Intake, body: bytes) -> str:
    try:
        return await add(self, body)
    except RefusedError:
        return "unread"


if __name__ == "__main__":
    Intake.add = polite  # type: ignore[method-assign]
    sys.exit(main())
