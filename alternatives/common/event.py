"""An event of the contract: validated, so that what is enqueued can be stored as it was sent."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

#: Bounds of `timestamp`.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=24)
#: Objects and arrays within each other.
MAX_DEPTH = 64
#: From here on an integer rounds to more than the largest double.
TOO_LARGE = 2**1024 - 2**970
#: Largest integer that a double holds exactly.
SAFE = 2**53

Text = Annotated[str, Meta(max_length=65_536)]

#: Of RFC 3339's letters both cases; of its seconds none beyond 59: no clock here tells a leap second from the next one.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
#: 8-4-4-4-12 and nothing else: `uuid.UUID` also reads braces, `urn:`, spaces, underscores and any digits of Unicode.
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Refused(Exception):
    """An event that is not taken: which member is at fault, and what was expected of it."""

    def __init__(self, field: str, why: str, status: int = 422) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why, self.status = field, why, status


class Members(msgspec.Struct, rename="camel", kw_only=True):
    """The types of the members that the contract names; any other may be anything."""

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


_members = msgspec.json.Decoder(Members).decode


def accept(body: bytes, now: datetime) -> dict[str, Any]:
    """The event in `body`, with an id. Raises Refused for what the contract or PostgreSQL's jsonb does not take."""
    event = _parsed(body)
    for name, value in event.items():
        if (
            why := next(filter(None, (_unfit(leaf, depth) for leaf, depth in _leaves([name, value], 0))), None)
        ) is not None:
            raise Refused(_shown(name), why)
    try:
        members = _members(body)
    except msgspec.ValidationError as e:
        raise _refused(str(e)) from None
    _check_instant(members.timestamp, now)
    if (ttl := members.ttl) is not None and (not -SAFE <= ttl <= SAFE or ttl != int(ttl)):
        raise Refused("ttl", "expected a whole number of seconds that a double holds")
    return {**event, "eventId": _id(members.event_id)}


def _parsed(body: bytes) -> dict[str, Any]:
    """Read by Python's own parser: it reads lone surrogates, 1e400 and doubled names, so that they can be named."""
    try:
        event = json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise Refused("event", "expected one JSON object in UTF-8", 400) from None
    if not isinstance(event, dict):
        raise Refused("event", "expected a JSON object", 400)
    return event


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    for name, _ in pairs if len(members) < len(pairs) else ():
        if sum(other == name for other, _ in pairs) > 1:
            raise Refused(_shown(name), "expected each name once")
    return members


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _leaves(value: Any, depth: int) -> Iterator[tuple[Any, int]]:
    """Every name and value at any depth, with its depth; nothing beyond the greatest."""
    if depth > MAX_DEPTH or not isinstance(value, dict | list):
        yield value, depth
        return
    for inner in value if isinstance(value, list) else (*value, *value.values()):
        yield from _leaves(inner, depth + 1)


def _unfit(leaf: Any, depth: int) -> str | None:
    """Why a value cannot be stored as it was sent."""
    if depth > MAX_DEPTH:
        return f"expected at most {MAX_DEPTH} objects and arrays within each other"
    if isinstance(leaf, str):
        if "\0" in leaf:
            return "expected text without NUL"
        return "expected text without lone surrogates" if _surrogate(leaf) else None
    if isinstance(leaf, int | float) and not -TOO_LARGE < leaf < TOO_LARGE:
        return "expected numbers that a double can hold"
    return None


def _surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("\0", "\\u0000")


def _refused(message: str) -> Refused:
    """msgspec's message, as which member and why."""
    what, _, path = message.partition(" - at ")
    if missing := re.search(r"missing required field `(.+)`$", what):
        return Refused(missing[1], "required, and missing")
    return Refused(path.strip("`").removeprefix("$.") or "event", what[0].lower() + what[1:])


def _id(sent: str | None) -> str:
    """The idempotency key in lower case; one that is missing is assigned."""
    if sent is None:
        return str(uuid.uuid4())
    if _UUID.fullmatch(sent):
        return sent.lower()
    raise Refused("eventId", "expected a UUID such as 0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77")


def _check_instant(sent: str, now: datetime) -> None:
    if not _RFC3339.fullmatch(sent):
        raise Refused("timestamp", "expected an RFC 3339 instant with its offset, such as 2026-11-23T10:15:02Z")
    try:
        instant = datetime.fromisoformat(sent.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("timestamp", "expected an instant that exists") from None
    if not EARLIEST <= instant <= now + AHEAD:
        raise Refused("timestamp", "expected an instant from 2000-01-01 to 24 hours from now")
