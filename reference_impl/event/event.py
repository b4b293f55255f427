"""An event: the wire form of the contract, validated, and in the form the queue keeps it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from reference_impl.errors import RefusedError
from reference_impl.event import canonical_json, i_json
from reference_impl.event.preset import Preset

#: Bounds of `timestamp`: what the store keeps partitions for.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=24)

Text = Annotated[str, Meta(max_length=65_536)]
#: Most bytes of UTF-8 in a member that is a key of an index: an entry has room for 2,704, and a target's has two.
KEY_BYTES = 1024
#: Largest integer that a double holds exactly.
SAFE = 2**53

#: Of RFC 3339's letters both cases; of its seconds none beyond 59: no clock here tells a leap second from the next one.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
#: 8-4-4-4-12 and nothing else: `uuid.UUID` also reads braces, `urn:`, spaces, underscores and any digits of Unicode.
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Event(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """An event whose members were validated. `details` holds every member the contract does not name."""

    event_id: str | None = None
    timestamp: str
    action: Annotated[str, Meta(min_length=1, max_length=65_536)]
    status: Literal["attempt", "success", "failure"]
    principal_id: Text | None = None
    organization_id: Text | None = None
    target_resource_type: Text | None = None
    target_resource_id: Text | None = None
    outcome_description: Text | None = None
    ttl: int | float | None = None
    correlation_id: Text | None = None
    data_classification: Literal["PUBLIC", "INTERNAL", "CONFIDENTIAL", "PHI"] | None = None
    retention_policy: Text | None = None
    event_version: Text | None = None
    details: dict[str, Any] | None = None


class _Sent(Event):
    """The event as sent: there a member called `details` is one like any other."""

    details: Any = None


class Stamped(msgspec.Struct):
    """An accepted event with the SHA-256 of its canonical form, in hex."""

    event: Event
    hash: str


_KEYS = {
    "action": "action",
    "principal_id": "principalId",
    "organization_id": "organizationId",
    "correlation_id": "correlationId",
    "retention_policy": "retentionPolicy",
    "target_resource_type": "targetResourceType",
    "target_resource_id": "targetResourceId",
}
NAMED = frozenset(name for name in Event.__struct_encode_fields__ if name != "details")

_decode_sent = msgspec.json.Decoder(_Sent).decode
_decode_any = msgspec.json.Decoder().decode


#: The preset of an organization's action.
Choose = Callable[[str | None, str], Preset | None]


def accept(body: bytes, now: datetime, max_depth: int, choose: Choose | None = None) -> Stamped:
    """Validate one event in its wire form, after its preset. Raises RefusedError, naming the member at fault."""
    members = i_json.members(body, max_depth)
    event = _typed(body)
    if choose and (preset := choose(event.organization_id, event.action)):
        event = _preset(event, members, preset)
    event.event_id = members["eventId"] = _id(event.event_id)
    event.timestamp = members["timestamp"] = _instant(event.timestamp, now)
    event.ttl = _whole(event.ttl)
    event.details = {k: v for k, v in members.items() if k not in NAMED} or None
    return Stamped(event, canonical_json.sha256(members))


def _typed(body: bytes) -> Event:
    try:
        event = _decode_sent(body)
    except msgspec.ValidationError as e:
        raise RefusedError(*_explain(str(e))) from None
    if len(body) > KEY_BYTES:  # else none can be longer
        _refuse_long_keys(event)
    return event


def _refuse_long_keys(event: Event) -> None:
    """The store's indexes could never keep them. A character has at most 4 bytes."""
    for field, name in _KEYS.items():
        text: str | None = getattr(event, field)
        if text and len(text) > KEY_BYTES // 4 and (size := len(text.encode())) > KEY_BYTES:
            raise RefusedError(name, f"expected at most {KEY_BYTES} bytes of UTF-8, got {size}")


def _preset(event: Event, members: dict[str, Any], preset: Preset) -> Event:
    """The event with its preset's values. Raises RefusedError."""
    try:
        return _typed(msgspec.json.encode(members)) if preset.apply(members) else event
    except msgspec.ValidationError as e:
        field, why = _explain(str(e))
        raise RefusedError(field, f"{why} (preset {preset.name!r})") from None


def _explain(message: str) -> tuple[str, str]:
    """msgspec's message as (field, why)."""
    what, _, path = message.partition(" - at ")
    if missing := re.search(r"missing required field `(.+)`$", what):
        return missing[1], "required, and missing"
    return path.strip("`").removeprefix("$.") or "event", what[0].lower() + what[1:]


def _id(sent: str | None) -> str:
    """The idempotency key in lower case; one that is missing is assigned here."""
    if sent is None:
        return str(uuid.uuid4())
    if not _UUID.fullmatch(sent):
        raise RefusedError("eventId", "expected a UUID such as 0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77")
    return sent.lower()


def _instant(sent: str, now: datetime) -> str:
    """The instant in UTC, cut to microseconds."""
    if not _RFC3339.fullmatch(sent):
        raise RefusedError("timestamp", "expected an RFC 3339 instant with its offset, such as 2026-11-23T10:15:02Z")
    try:
        instant = datetime.fromisoformat(sent.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedError("timestamp", "expected an instant that exists") from None
    if not EARLIEST <= instant <= now + AHEAD:
        raise RefusedError("timestamp", "expected an instant from 2000-01-01 to 24 hours from now")
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _whole(sent: int | float | None) -> int | None:
    if sent is not None and (not -SAFE <= sent <= SAFE or sent != int(sent)):
        raise RefusedError("ttl", "expected a whole number of seconds that a double holds")
    return None if sent is None else int(sent)


def wire(event: Event) -> dict[str, Any]:
    """The wire form of an accepted event: named members, then the others."""
    form: dict[str, Any] = msgspec.to_builtins(event)
    details = form.pop("details", None) or {}
    return {**form, **details}
