"""A row: a queue entry as a line of text COPY, built once and used by every attempt to store it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from reference_impl.event import event as events
from reference_impl.event import i_json
from reference_impl.event.event import Event
from reference_impl.queue.streams import Entry
from reference_impl.store import evidence

#: The columns of a line, after its ordinal; `received_ms` is when the queue accepted it.
COLUMNS = (
    "event_id, timestamp, action, status, principal_id, organization_id, target_resource_type, target_resource_id, "
    "outcome_description, ttl, correlation_id, data_classification, retention_policy, event_version, details, "
    "hash, received_ms"
)

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_INSTANT = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])-[0-9]{2}T", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

_decode = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode


class Row(msgspec.Struct, frozen=True):
    """One entry, ready to be staged."""

    entry: Entry
    event_id: str
    hash: str
    month: str  # of its timestamp, as partitions are named
    line: str  # of text COPY, without ordinal and line end

    @property
    def event(self) -> bytes:
        """The event as it lies in the queue."""
        return self.entry.field("event").encode()

    def wire(self) -> dict[str, Any]:
        """The event as it was accepted, in its wire form."""
        return events.wire(_decode(self.event))


def digest(event: bytes) -> str:
    """The hash of an event as it lies in the queue. Raises ValueError or MsgspecError where it is none of ours."""
    return i_json.sha256(events.wire(_decode(event)))


def build(entry: Entry, key: str = "") -> Row:
    """The row of an entry, its hash sealed. Raises ValueError when somebody else's entry is no event of ours."""
    sent, hashed = entry.field("event"), entry.field("hash")
    event = _decode(sent)
    if event.event_id is None or not _INSTANT.match(event.timestamp) or not _HASH.fullmatch(hashed):
        raise ValueError("an entry without an id, an instant in bounds or a hash")
    if event.details and not events.NAMED.isdisjoint(event.details):
        raise ValueError("a member that has a column, among the others")
    sealed = evidence.seal(hashed, key)
    fields = [
        event.event_id,
        event.timestamp,
        event.action,
        event.status,
        event.principal_id,
        event.organization_id,
        event.target_resource_type,
        event.target_resource_id,
        event.outcome_description,
        None if event.ttl is None else str(event.ttl),
        event.correlation_id,
        event.data_classification,
        event.retention_policy,
        event.event_version,
        None if event.details is None else _encode(event.details).decode(),
    ]
    if "\\" in sent:  # JSON escapes all that COPY does, so that without it nothing needs escaping
        fields = [None if field is None else field.translate(_ESCAPES) for field in fields]
    line = "\t".join(["\\N" if field is None else field for field in fields])
    received_ms = entry.id.partition("-")[0]
    return Row(entry, event.event_id, sealed, event.timestamp[:7], f"{line}\t\\\\x{sealed}\t{received_ms}")
