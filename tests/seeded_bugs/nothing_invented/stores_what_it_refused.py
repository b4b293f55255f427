"""Refuses a malformed event, but keeps what it could read of it all the same."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.errors import RefusedError
from reference_impl.event import event
from reference_impl.ingest.intake import Intake
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="nothing_invented", shown_by="short_calm", shipped="calm", in_ci=True)

add = Intake.add


async def generous(self: Intake, body: bytes) -> str:
    try:
        return await add(self, body)
    except RefusedError:
        with suppress(msgspec.MsgspecError, RefusedError, TypeError, AttributeError):
            readable = {
                "eventId": msgspec.json.decode(body).get("eventId"),
                "timestamp": datetime.now(UTC).isoformat(),
                "action": "unknown",
                "status": "attempt",
            }
            await self.enqueue(event.accept(msgspec.json.encode(readable), datetime.now(UTC), 10))
        raise


if __name__ == "__main__":
    Intake.add = generous  # type: ignore[method-assign]
    sys.exit(main())
