"""The event: validates the wire form of the contract, and defines the form that is stored in the queue.

A preset holds the required members, default values and rules that an organization sets for its events.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from reference_impl.errors import RefusedError
from reference_impl.event import i_json

#: Bounds of `timestamp`: the store has partitions for these months.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=24)

Text = Annotated[str, Meta(max_length=65_536)]
_SAFE = Meta(ge=-i_json.SAFE, le=i_json.SAFE)
#: A whole number that a double holds, also one written as 1.0.
Whole = Annotated[int, _SAFE] | Annotated[float, _SAFE, Meta(multiple_of=1)]
#: Most bytes of UTF-8 in a member that is a key of an index: an index entry has room for 2,704, and one has two keys.
KEY_BYTES = 1024
#: RFC 3339 with letters in both cases, and without leap seconds: datetime has none.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
#: 8-4-4-4-12 only: `uuid.UUID` also accepts braces, `urn:`, spaces, underscores and all digits of Unicode.
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
#: The types of JSON Schema, in Python.
TYPES = {"string": str, "number": float, "boolean": bool, "object": dict[str, Any], "array": list[Any]}


class Event(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A validated event. `details` holds the members that the contract does not name."""

    event_id: str | None = None
    timestamp: str
    action: Annotated[str, Meta(min_length=1, max_length=65_536)]
    status: Literal["attempt", "success", "failure"]
    principal_id: Text | None = None
    organization_id: Text | None = None
    target_resource_type: Text | None = None
    target_resource_id: Text | None = None
    outcome_description: Text | None = None
    ttl: Whole | None = None
    correlation_id: Text | None = None
    data_classification: Literal["PUBLIC", "INTERNAL", "CONFIDENTIAL", "PHI"] | None = None
    retention_policy: Text | None = None
    event_version: Text | None = None
    details: dict[str, Any] | None = None


class _Sent(Event):
    """The event as sent, where `details` is not named by the contract and may hold anything."""

    details: Any = None


class Stamped(msgspec.Struct):
    """An accepted event with its id and the SHA-256 of its canonical form, in hex."""

    event_id: str
    event: Event
    hash: str
    encoded: bytes  # as the queue holds it: encoding a large event takes as long as validating it


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A preset's constraint on one member, in the terms of JSON Schema."""

    type: Literal["string", "number", "boolean", "object", "array"] = "string"
    enum: list[str] | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None

    def accepted(self) -> Any:
        """The type of the values that satisfy it."""
        if self.enum is not None:
            return Literal[tuple(self.enum)]
        size = Meta(pattern=self.pattern, min_length=self.min_length, max_length=self.max_length)
        return Annotated[TYPES[self.type], Meta(ge=self.minimum, le=self.maximum), size]


class Preset(msgspec.Struct, frozen=True):
    """One row of audit_preset."""

    name: str
    organization_id: str | None  # None: all
    action: str | None  # None: all
    required_fields: list[str]
    default_values: dict[str, Any]
    validation: dict[str, Rule]
    shape: Any = None  # the type of the members that are required or have a rule

    def __post_init__(self) -> None:
        fields: dict[str, Any] = dict.fromkeys(self.required_fields, Any)
        try:
            fields |= {name: rule.accepted() for name, rule in self.validation.items()}
            fields |= {name: NotRequired[kind] for name, kind in fields.items() if name not in self.required_fields}
            msgspec.structs.force_setattr(self, "shape", TypedDict("Members", fields))  # type: ignore[operator]
            msgspec.convert({}, self.shape | None)
        except (TypeError, re.error, OverflowError, RecursionError) as e:
            raise ValueError(f"preset {self.name!r}: {e}") from None
        except msgspec.ValidationError:
            pass  # the empty object is invalid, so the rules can be evaluated

    def apply(self, members: dict[str, Any]) -> None:
        """Fill in the default values of absent members, and validate all. Raises msgspec.ValidationError."""
        members.update({name: value for name, value in self.default_values.items() if members.get(name) is None})
        msgspec.convert({name: value for name, value in members.items() if value is not None}, self.shape)


#: Members that are keys of the store's indexes.
_KEYS: tuple[str, ...] = ("action", "principalId", "organizationId", "correlationId", "retentionPolicy")
_KEYS += ("targetResourceType", "targetResourceId")
#: Members that the contract names.
NAMED = frozenset(name for name in Event.__struct_encode_fields__ if name != "details")

#: Finds the preset for an organization and an action.
PresetOf = Callable[[str | None, str], Preset | None]


def accept(body: bytes, now: datetime, max_depth: int, preset_of: PresetOf | None = None) -> Stamped:
    """Validate an event in its wire form, after its preset. Raises RefusedError, naming the member at fault."""
    members = i_json.members(body, max_depth)
    preset = None
    try:
        event: Event = msgspec.convert(members, _Sent)
        if preset_of and (preset := preset_of(event.organization_id, event.action)):
            preset.apply(members)
            event = msgspec.convert(members, _Sent)
    except msgspec.ValidationError as e:
        field, why = _explain(str(e))
        raise RefusedError(field, f"{why} (preset {preset.name!r})" if preset else why) from None
    _refuse_long_keys(members)
    event.event_id = members["eventId"] = event_id = _id(event.event_id)
    event.timestamp = members["timestamp"] = _instant(event.timestamp, now)
    event.ttl = None if event.ttl is None else int(event.ttl)
    event.details = {name: value for name, value in members.items() if name not in NAMED} or None
    return Stamped(event_id, event, i_json.sha256(members), msgspec.json.encode(event))


def _refuse_long_keys(members: dict[str, Any]) -> None:
    """Raise RefusedError for a key that no index could hold. A character has at most 4 bytes."""
    for name in _KEYS:
        text: str | None = members.get(name)
        if text and len(text) > KEY_BYTES // 4 and (size := len(text.encode())) > KEY_BYTES:
            raise RefusedError(name, f"expected at most {KEY_BYTES} bytes of UTF-8, got {size}")


def _explain(message: str) -> tuple[str, str]:
    """The member at fault and the reason, from msgspec's message."""
    why, _, path = message.partition(" - at ")
    if missing := re.search(r"missing required field `(.+)`$", why):
        return missing[1], "required, and missing"
    return path.strip("`").removeprefix("$.") or "event", why[0].lower() + why[1:]


def _id(sent: str | None) -> str:
    """The idempotency key in lower case; a missing one is assigned here."""
    if sent is None:
        return str(uuid.uuid4())
    if not _UUID.fullmatch(sent):
        raise RefusedError("eventId", "expected a UUID such as 0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77")
    return sent.lower()


def _instant(sent: str, now: datetime) -> str:
    """The instant in UTC, truncated to microseconds."""
    if not _RFC3339.fullmatch(sent):
        raise RefusedError("timestamp", "expected an RFC 3339 instant with its offset, such as 2026-11-23T10:15:02Z")
    try:
        instant = datetime.fromisoformat(sent.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedError("timestamp", "expected an instant that exists") from None
    if not EARLIEST <= instant <= now + AHEAD:
        raise RefusedError("timestamp", "expected an instant from 2000-01-01 to 24 hours from now")
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def wire(event: Event) -> dict[str, Any]:
    """The wire form of an accepted event."""
    form: dict[str, Any] = msgspec.to_builtins(event)
    return form | (form.pop("details", None) or {})
