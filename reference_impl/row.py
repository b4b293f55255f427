"""A row: a queue entry as a line of text COPY, built once and used by every attempt to store it."""

from __future__ import annotations

import re

import msgspec

from reference_impl.event import Event
from reference_impl.queue import Entry

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


def build(entry: Entry) -> Row:
    """The row of an entry. Raises ValueError when somebody else's entry is no event of ours."""
    event = _decode(entry.field("event"))
    digest = entry.field("hash")
    if event.event_id is None or not _INSTANT.match(event.timestamp) or not _HASH.fullmatch(digest):
        raise ValueError("an entry without an id, an instant in bounds or a hash")
    fields = [
        event.event_id,
        event.timestamp,
        _field(event.action),
        event.status,
        _field(event.principal_id),
        _field(event.organization_id),
        _field(event.target_resource_type),
        _field(event.target_resource_id),
        _field(event.outcome_description),
        _field(None if event.ttl is None else str(event.ttl)),
        _field(event.correlation_id),
        _field(event.data_classification),
        _field(event.retention_policy),
        _field(event.event_version),
        _field(None if event.details is None else _encode(event.details).decode()),
        f"\\\\x{digest}",
        entry.id.partition("-")[0],
    ]
    return Row(entry, event.event_id, digest, event.timestamp[:7], "\t".join(fields))


def _field(value: str | None) -> str:
    return "\\N" if value is None else value.translate(_ESCAPES)
