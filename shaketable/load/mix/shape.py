"""A shape: the contents of events without their ids, one line of corpus.jsonl."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

#: Where a malformed shape wants the event's id.
EVENT_ID = b"%EVENT_ID%"
#: Where a malformed shape wants its padding, so that an oversize body takes no room in the corpus.
PAD = b"%PAD%"
#: Bytes that placeholders may add to one body: a corpus may be a stranger's.
MOST = 64 << 20


class Expect(StrEnum):
    """What the contract asks of a target that is given such an event."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    EITHER = "either"  # refused or kept exactly: both are right


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """Well-formed contents are in `body`; malformed ones are text, or bytes (base64) when they are no text."""

    number: int
    expect: Expect
    why: str  # what is hostile about it
    body: dict[str, Any] | None = None
    text: str | None = None
    raw: bytes | None = None
    pad: int = 0  # how many bytes replace PAD
    everyday: bool = False  # of an ordinary kind, told by `why`

    def wire(self, event_id: str, organization: str | None = None) -> bytes:
        """The request's body: the same bytes for the same arguments, always."""
        if self.body is None:
            template = self.raw if self.raw is not None else (self.text or "").encode()
            if template.count(PAD) * self.pad + template.count(EVENT_ID) * len(event_id) > MOST:
                raise ValueError(f"expected shape {self.number} to make a body of at most {MOST:,} bytes")
            return template.replace(EVENT_ID, event_id.encode()).replace(PAD, b"x" * self.pad)
        event = {"eventId": event_id, **self.body}
        if organization is not None:
            event["organizationId"] = organization
        return msgspec.json.encode(event)
