"""The events of the bench: eleven members, 370 bytes, a thousand organizations, and ids that never come again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

ORGANIZATIONS = 1000
_ID = str(uuid.uuid4())[:23]  # of this process; its last twelve digits count


#: Spread as in life: what all events had in common would be one hot page of each index.
ACTIONS = [f"{what}.{how}" for what in ("record", "order", "user", "team") for how in ("read", "write", "share", "end")]
CLASSES = ("PUBLIC", "INTERNAL", "CONFIDENTIAL", "PHI")


def bodies(count: int, salt: int = 0, organizations: int = ORGANIZATIONS) -> Iterator[bytes]:
    """So many events in their wire form, their ids and timestamps ascending; another salt gives other ids."""
    second = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for n in range(count):
        yield (
            f'{{"eventId":"{_ID}-{salt << 32 | n:012x}","timestamp":"{second}.{n % 10**6:06d}Z",'
            f'"action":"{ACTIONS[n * 7 % 16]}","status":"success","principalId":"user-{n % 7919}",'
            f'"organizationId":"org-{n % organizations}","targetResourceType":"record",'
            f'"targetResourceId":"record-{n % 104729}","outcomeDescription":"by the ward, through the portal",'
            f'"dataClassification":"{CLASSES[n * 3 % 4]}","correlationId":"request-{n // 3}"}}'
        ).encode()
