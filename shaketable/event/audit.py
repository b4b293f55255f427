"""Parse and compare audit events, the events of contract 1.

Events are compared as values: numbers as doubles (or exactly, if the manifest claims that), `timestamp` as an instant
truncated to microseconds, and a null member as an absent one. A target may store members outside the contract at the
top level or under `details`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from shaketable.event.difference import ABSENT, of_instants, of_values

#: The enums of the contract.
STATUSES = ("attempt", "success", "failure")
CLASSIFICATIONS = ("PUBLIC", "INTERNAL", "CONFIDENTIAL", "PHI")

#: Members of the contract that hold text, and the most characters the mix puts into each.
TEXT_LIMITS = {
    "action": 255,
    "principalId": 255,
    "organizationId": 255,
    "targetResourceType": 255,
    "targetResourceId": 255,
    "outcomeDescription": 8_000,
    "correlationId": 255,
    "retentionPolicy": 50,
    "eventVersion": 20,
}
#: All members of the contract; canonical events hold any other member under `details`.
MEMBERS = frozenset({"eventId", "timestamp", "status", "dataClassification", "ttl", *TEXT_LIMITS})
#: Without these an event is refused.
REQUIRED = ("timestamp", "action", "status")

#: The earliest instant of the contract.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse(text: bytes | str, exact: bool = False) -> dict[str, Any]:
    """Read an event as sent or stored; numbers outside a double stay exact, and lone surrogates are preserved.

    `exact` preserves each digit of every number. Raises ValueError unless the text is a JSON object.
    """
    number = exact_number if exact else _number
    value = json.loads(text, parse_int=number, parse_float=number, parse_constant=_refuse_constant)
    if not isinstance(value, dict):
        raise ValueError(f"expected an event as a JSON object, got a JSON {type(value).__name__}")
    return value


def _number(text: str) -> float | Decimal:
    """Return the nearest double, or the exact value of a literal beyond the range of doubles."""
    double = float(text)
    return Decimal(text) if math.isinf(double) else double


def exact_number(text: str) -> Decimal:
    """The value of a JSON number with all its digits. Raises ValueError for an exponent beyond every arithmetic."""
    try:
        return Decimal(text)
    except ArithmeticError as e:
        raise ValueError(f"expected a number with a smaller exponent, got one of {len(text)} characters") from e


def _refuse_constant(text: str) -> None:
    raise ValueError(f"expected JSON, got {text}: JSON has no such number")


def instant(text: str) -> int | None:
    """Microseconds since 1970 of an RFC 3339 timestamp, truncated (not rounded); None for an invalid timestamp."""
    try:
        at = datetime.fromisoformat(text.upper())  # truncates after six digits; accepts only upper-case `T` and `Z`
    except ValueError:
        return None
    return None if at.tzinfo is None else (at - _EPOCH) // _MICROSECOND


def canonical(event: Mapping[str, Any], exact: bool = False) -> dict[str, Any]:
    """Return the canonical value for comparison, with members outside the contract under `details`."""
    members: dict[str, Any] = {}
    details: dict[str, Any] = {}
    for name, value in event.items():
        if value is None:
            continue
        if name == "details" and isinstance(value, Mapping):
            details.update(_hoisted(value, exact))
        elif name in MEMBERS:
            members[name] = _member(name, value, exact)
        else:
            details[name] = _value(value, exact)
    if details:
        members["details"] = details
    return members


def _hoisted(details: Mapping[str, Any], exact: bool) -> dict[str, Any]:
    """Flatten `details`: a target that treats a sent `details` as an unknown member nests it once more."""
    inner = details.get("details")
    rest = {name: _value(value, exact) for name, value in details.items() if value is not None and name != "details"}
    if isinstance(inner, Mapping):
        return rest | _hoisted(inner, exact)
    return rest if inner is None else rest | {"details": inner}


def _member(name: str, value: Any, exact: bool) -> Any:
    """Canonical value of a contract member: a timestamp as an instant, an id in lower case."""
    if isinstance(value, str):
        if name == "timestamp":
            at = instant(value)
            return value if at is None else at
        if name == "eventId":
            return value.lower()
    return _value(value, exact)


def _value(value: Any, exact: bool) -> Any:
    """Convert numbers to doubles, or to exact ones, and drop null members, at any depth."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return Decimal(value) if exact else _double(value)
    if isinstance(value, Mapping):
        return {name: _value(inner, exact) for name, inner in value.items() if inner is not None}
    return [_value(inner, exact) for inner in value]


def _double(value: int | float | Decimal) -> float | Decimal:
    """Return the nearest double (minus zero becomes zero), or the exact value of a number beyond their range."""
    try:
        double = float(value)
    except OverflowError:
        return Decimal(value)
    return Decimal(value) if math.isinf(double) else double + 0.0


def same(sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()) -> list[str]:
    """Return the paths of differing members, never their values; [] for equal events.

    `adds` names members that the target adds. The path of a member outside the contract is the path in the sent event,
    wherever the target stores it.
    """
    return [path for path, _ in differences(sent, stored, adds)]


def differences(
    sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = (), exact: bool = False
) -> list[tuple[str, str]]:
    """The paths as in `same`, each with the kind of its difference, or ""."""
    left, right = canonical(sent, exact), canonical(stored, exact)
    right = _without_added(left, right, adds)
    mine, kept = (side.pop("details", {}) for side in (left, right))
    found = [*_differing(left, right, "")]
    for name in mine.keys() | kept.keys():
        inside = name not in sent if name in mine else name not in stored
        left, right = ({name: side[name]} if name in side else {} for side in (mine, kept))
        found += _differing(left, right, "details" * inside)
    return sorted(found)


def _without_added(sent: dict[str, Any], stored: dict[str, Any], adds: Collection[str]) -> dict[str, Any]:
    """Remove the members that the target added; a member of that name that was also sent stays and is compared."""
    mine = sent.get("details", {})
    kept = {name: v for name, v in stored.items() if name == "details" or name in sent or name not in adds}
    details = {name: v for name, v in stored.get("details", {}).items() if name in mine or name not in adds}
    return {name: v for name, v in kept.items() if name != "details"} | ({"details": details} if details else {})


def _differing(left: Any, right: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in left.keys() | right.keys():
            step = f"{path}.{_step(name)}" if path else _step(name)
            yield from _differing(left.get(name, ABSENT), right.get(name, ABSENT), step)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for at, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _differing(one, other, f"{path}[{at}]")
    elif type(left) is not type(right) or left != right:
        instants = path == "timestamp" and type(left) is type(right) is int
        yield path, of_instants(left * 1000, right * 1000) if instants else of_values(left, right)


def _step(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name)


def digest(event: Mapping[str, Any], adds: Collection[str] = ()) -> str:
    """SHA-256 (hex) of the canonical value without `adds`; equal events have equal digests."""
    value = canonical(event)
    value = _without_added({}, value, adds) if adds else value
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=lambda exact: {"exact": str(exact)})
    return hashlib.sha256(text.encode()).hexdigest()
