"""Refuses events whose text is not ASCII."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.errors import RefusedError
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="refuses_rightly", shown_by="short_calm", shipped="calm")

add = Intake.add


async def narrow(self: Intake, body: bytes) -> str:
    if not body.isascii():
        raise RefusedError("event", "expected ASCII")
    return await add(self, body)


if __name__ == "__main__":
    Intake.add = narrow  # type: ignore[method-assign]
    sys.exit(main())
