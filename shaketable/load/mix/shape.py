"""A shape: the contents of an event without its id; one line of corpus.jsonl."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

#: Placeholder of the event's id in a shape's text.
EVENT_ID = b"%EVENT_ID%"
#: Placeholder of the value by which a target's own events are ordered, as JSON.
ORDER = b"%ORDER%"
#: Placeholder of the padding in a malformed shape, which keeps oversize bodies out of the corpus.
PAD = b"%PAD%"
#: The most bytes that placeholders may add to a body: a corpus may come from a stranger.
MOST = 64 << 20


class Expect(StrEnum):
    """The response that the contract requires for an event."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    EITHER = "either"  # refused, or stored exactly


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """Well-formed contents of an audit event are in `body`.

    Malformed ones, and all of a target's own events, are in `text`, or in `raw` (base64) if they are not UTF-8.
    """

    number: int
    expect: Expect
    why: str  # its hostile or malformed property
    body: dict[str, Any] | None = None
    text: str | None = None
    raw: bytes | None = None
    pad: int = 0  # number of bytes that replace PAD
    sized: bool = False  # a body around a bound of size
    numeric: bool = False  # numbers that a double does not hold
    month_end: bool = False  # its timestamp is at the end of a month
    everyday: bool = False  # an everyday shape; `why` names its kind
    order: str | None = None  # a value for ORDER, as JSON; None without that placeholder

    @property
    def blank(self) -> bool:
        """Whether its body is empty or white space."""
        return self.body is None and not (self.text or "").strip() and not (self.raw or b"").strip()

    def wire(self, event_id: str, organization: str | None = None) -> bytes:
        """The request's body; deterministic."""
        if self.body is None:
            template = self.raw if self.raw is not None else (self.text or "").encode()
            more = template.count(ORDER) * len(organization) if organization else 0
            if template.count(PAD) * self.pad + template.count(EVENT_ID) * len(event_id) + more > MOST:
                raise ValueError(f"expected shape {self.number} to make a body of at most {MOST:,} bytes")
            if organization is not None:
                template = template.replace(ORDER, organization.encode())
            return template.replace(EVENT_ID, event_id.encode()).replace(PAD, b"x" * self.pad)
        event = {"eventId": event_id, **self.body}
        if organization is not None:
            event["organizationId"] = organization
        return msgspec.json.encode(event)
