"""A row: an entry of the queue as a line of text COPY, built once and used by every attempt to store it."""

import hmac
import re
from typing import Any

import msgspec
from msgspec.structs import astuple

from reference_impl.event import i_json
from reference_impl.event.event import NAMED, Event, wire
from reference_impl.queue.streams import Entry

#: The columns of audit_log that an event fills, named as its members are.
COLUMNS = ", ".join([*Event.__struct_fields__, "hash"])
_TTL = Event.__struct_fields__.index("ttl")

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_INSTANT = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])-[0-9]{2}T", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

_decode = msgspec.json.Decoder(Event).decode

#: What `build` and `digest` raise for bytes that are not an event. RecursionError: about a thousand nested arrays.
NOT_AN_EVENT = (ValueError, msgspec.MsgspecError, RecursionError)


class Row(msgspec.Struct, frozen=True):
    """One entry, ready to be staged."""

    entry: Entry
    event_id: str
    hash: str
    month: str  # of its timestamp, as partitions are named
    line: str  # of text COPY: COLUMNS and the time of acceptance in ms, without ordinal and line end

    @property
    def event(self) -> bytes:
        """The event in the form the queue keeps."""
        return self.entry.field("event").encode()

    def wire(self) -> dict[str, Any]:
        """The event as it was accepted, in its wire form."""
        return wire(_decode(self.event))


def digest(event: bytes) -> str:
    """The hash of an event in the queue's form. Raises an error of NOT_AN_EVENT."""
    return i_json.sha256(wire(_decode(event)))


def seal(digest: str, key: str) -> str:
    """The stored form of a hash in hex: with a key its HMAC-SHA-256, which nobody without the key can compute."""
    return hmac.digest(key.encode(), digest.encode(), "sha256").hex() if key else digest


def build(entry: Entry, key: str = "") -> Row:
    """The row of an entry, its hash sealed. Raises an error of NOT_AN_EVENT."""
    sent, hashed = entry.field("event"), entry.field("hash")
    event = _decode(sent)
    if event.event_id is None or not _INSTANT.match(event.timestamp) or not _HASH.fullmatch(hashed):
        raise ValueError("expected an entry with an id, an instant in bounds and a hash")
    if event.details and not NAMED.isdisjoint(event.details):
        raise ValueError("expected no member that has a column among the details")
    fields: list[str | None] = list(astuple(event))
    if event.ttl is not None:
        fields[_TTL] = str(event.ttl)
    if event.details is not None:
        fields[-1] = msgspec.json.encode(event.details).decode()
    if "\\" in sent:  # JSON escapes everything that COPY escapes, so without a backslash no field needs it
        fields = [None if field is None else field.translate(_ESCAPES) for field in fields]
    line = "\t".join(["\\N" if field is None else field for field in fields])
    sealed, received_ms = seal(hashed, key), entry.id.partition("-")[0]
    return Row(entry, event.event_id, sealed, event.timestamp[:7], f"{line}\t\\\\x{sealed}\t{received_ms}")
