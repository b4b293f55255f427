"""The events of the bench: ten members, 330 bytes, a thousand organizations, and ids that never come again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

ORGANIZATIONS = 1000
_ID = str(uuid.uuid4())[:23]  # of this process; its last twelve digits count


def bodies(count: int, salt: int = 0, organizations: int = ORGANIZATIONS) -> Iterator[bytes]:
    """So many events in their wire form, their ids ascending; another salt gives other ids."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    for n in range(count):
        yield (
            f'{{"eventId":"{_ID}-{salt << 32 | n:012x}","timestamp":"{now}","action":"record.read","status":"success",'
            f'"principalId":"user-{n % 7919}","organizationId":"org-{n % organizations}","targetResourceType":"record",'
            f'"targetResourceId":"record-{n % 104729}","outcomeDescription":"read by the ward",'
            f'"dataClassification":"PHI"}}'
        ).encode()
