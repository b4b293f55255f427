"""Malformed shapes: events that the contract refuses, or lets a target refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from shaketable.load.mix.shape import EVENT_ID, PAD, Expect, Shape

#: More bytes than any target has to accept.
OVERSIZE = 1_100_000

#: The value of a member that is left out.
_ABSENT = object()
#: Invalid timestamps, with the reason.
_TIMES = {
    "1999-12-31T23:59:59Z": "before the earliest instant",
    "1970-01-01T00:00:00Z": "long before the earliest instant",
    "9999-12-31T23:59:59Z": "thousands of years ahead",
    "2024-13-01T00:00:00Z": "month 13",
    "2023-02-29T00:00:00Z": "no such day",
    "2024-01-01T25:00:00Z": "hour 25",
    "2024-01-01T00:61:00Z": "minute 61",
    "2024-01-01T00:00:00": "no offset",
    "2024-01-01": "a date alone",
    "yesterday": "words",
    "": "empty",
    "1704067200": "seconds as text",
    "2024-01-01T00:00:00+99:00": "offset of 99 hours",
    "2024-01-01T00:00:00+24:00": "offset of 24 hours",
    "2024-01-01T00:00:00+00:60": "offset of 60 minutes",
    "2024-01-01T00:00:00-01:99": "offset of 1 hour and 99 minutes",
    "2016-12-31T23:59:60Z": "a leap second",
    "2024-01-01T12:00:60Z": "second 60 where no leap second was",
    "2024-01-01T24:00:00Z": "hour 24",
    "٢٠٢٤-٠١-٠١T00:00:00Z": "digits that are not ASCII",
}
#: Members with a value of the wrong type.
_TYPES: tuple[tuple[str, Any], ...] = (
    ("timestamp", 1704067200),
    ("timestamp", None),
    ("timestamp", ["2024-01-01T00:00:00Z"]),
    ("action", 5),
    ("action", None),
    ("action", {}),
    ("action", []),
    ("status", 1),
    ("status", None),
    ("status", True),
    ("eventId", 7),
    ("eventId", ["x"]),
    ("principalId", 12),
    ("organizationId", {"id": 1}),
    ("correlationId", [1]),
    ("dataClassification", 3),
    ("targetResourceId", False),
    ("ttl", "soon"),
)
#: Members with an unknown value.
_UNKNOWN: tuple[tuple[str, Any], ...] = (
    ("status", "SUCCESS"),
    ("status", "done"),
    ("status", ""),
    ("status", "success "),
    ("dataClassification", "SECRET"),
    ("dataClassification", "phi"),
    ("eventId", "{%EVENT_ID%}"),
    ("eventId", "urn:uuid:%EVENT_ID%"),
    ("eventId", " %EVENT_ID%"),
    ("eventId", "%EVENT_ID%\n"),
    ("eventId", "{0b8f9a526c1e4c599a373f4d2e9c1a77}--"),
    ("eventId", "urn:0b8f9a526c1e4c599a373f4d2e9c1a77"),
    ("eventId", "uuid0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a"),
    ("eventId", "0b8f9a526c1e4c599a373f4d2e9c1a77"),
    ("eventId", "0b8f9a52-6c1e4c59-9a37-3f4d-2e9c1a77"),
    ("eventId", "0b8f9a526c1e-4c59-9a37-3f4d2e9c1a77-"),
    ("eventId", "0_b8f9a5-6c1e-4c59-9a37-3f4d2e9c1a77"),
    ("eventId", "  8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"),
    ("eventId", "+b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"),
    ("eventId", "٠b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"),
    ("eventId", "０b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"),
    ("eventId", "0x8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"),
    ("eventId", "0b8f9a52‐6c1e‐4c59‐9a37‐3f4d2e9c1a77"),
    ("eventId", "not-a-uuid"),
    ("eventId", ""),
    ("eventId", "00000000-0000-0000-0000-00000000000g"),
    ("eventId", "1"),
    ("eventId", "' OR 1=1 --"),
)
#: Bodies that are not a JSON object.
_BODIES: tuple[tuple[str, bytes], ...] = (
    ("empty body", b""),
    ("a space", b" "),
    ("not JSON", b"hello"),
    ("an array", b"[]"),
    ("a string", b'"event"'),
    ("a number", b"42"),
    ("null", b"null"),
    ("true", b"true"),
    ("an empty object", b"{}"),
    ("cut off", b'{"eventId":"' + EVENT_ID + b'","timestamp":"2024-01-0'),
    ("single quotes", b"{'action':'x'}"),
    (
        "an event in an array",
        b'[{"eventId":"' + EVENT_ID + b'","timestamp":"2024-01-01T00:00:00Z","action":"x","status":"success"}]',
    ),
    ("a form", b"action=x&status=success"),
    ("no UTF-8", b'{"eventId":"' + EVENT_ID + b'","action":"\xff\xfe\xc0\x80"}'),
    ("binary", bytes(range(256))),
)
#: Other parsers of JSON or ISO 8601 may accept these: refuse them or store them exactly (of duplicates the last value).
_DOUBTFUL: tuple[tuple[str, str], ...] = (
    ("NUL in text", '"action":"a\\u0000b"'),
    ("NUL at the end", '"outcomeDescription":"x\\u0000"'),
    ("NUL alone in a detail", '"detail":"\\u0000"'),
    ("NUL in a member's name", '"a\\u0000b":1'),
    ("lone high surrogate", '"action":"\\ud800"'),
    ("lone low surrogate", '"outcomeDescription":"x\\udc00y"'),
    ("surrogates the wrong way round", '"detail":"\\udc00\\ud800"'),
    ("1e400", '"detail":1e400'),
    ("-1e400 in an array", '"detail":[-1e400]'),
    ("400 digits", '"detail":1' + "0" * 400),
    ("a name twice", '"detail":1,"detail":2'),
    ("a name twice, once escaped", '"detail":1,"d\\u0065tail":2'),
    ("a name twice within a detail", '"detail":[{"a":1,"b":":","a":2}]'),
    ("a name twice with the same value", '"detail":1,"detail":1'),
    ("action twice", '"action":"first","action":"second"'),
    ("timestamp twice", '"timestamp":"2024-01-01T00:00:00Z","timestamp":"2024-01-02T00:00:00Z"'),
    ("a name twice beside an escaped colon", '"detail":"\\u003a","detail":2'),
    ("details twice", '"details":{"a":1},"details":{"b":2}'),
    ("timestamp: offset without a colon", '"timestamp":"2024-01-01T00:00:00+0100"'),
    ("timestamp: offset of hours alone", '"timestamp":"2024-01-01T00:00:00+01"'),
    ("timestamp: a space for T", '"timestamp":"2024-01-01 00:00:00Z"'),
    ("timestamp: without hyphens", '"timestamp":"20240101T000000Z"'),
    ("timestamp: a week", '"timestamp":"2024-W01-1T00:00:00Z"'),
    ("timestamp: no seconds", '"timestamp":"2024-01-01T00:00Z"'),
    ("timestamp: a comma in the seconds", '"timestamp":"2024-01-01T00:00:00,5Z"'),
    ("200 levels deep", '"detail":' + "[" * 200 + "]" * 200),
)


def shapes(today: date) -> Iterator[Shape]:
    """All malformed shapes, numbered from 0."""
    for number, (expect, why, raw) in enumerate(_cases(today)):
        yield _shape(number, expect, why, raw)


def _shape(number: int, expect: Expect, why: str, raw: bytes) -> Shape:
    pad = OVERSIZE if PAD in raw else 0
    try:
        return Shape(number, expect, why, text=raw.decode(), pad=pad)
    except UnicodeDecodeError:
        return Shape(number, expect, why, raw=raw, pad=pad)


def _cases(today: date) -> Iterator[tuple[Expect, str, bytes]]:
    good = _good(today)
    for member in ("timestamp", "action", "status"):
        yield Expect.REFUSE, f"no {member}", _event(good, member, _ABSENT)
    for member, value in _TYPES:
        yield Expect.REFUSE, f"{member} of type {type(value).__name__}", _event(good, member, value)
    for member, value in _UNKNOWN:
        yield Expect.REFUSE, f"{member} of an unknown value", _event(good, member, value)
    for stamp, why in _TIMES.items():
        yield Expect.REFUSE, f"timestamp: {why}", _event(good, "timestamp", stamp)
    yield (
        Expect.REFUSE,
        "timestamp: a year ahead",
        _event(good, "timestamp", f"{today + timedelta(days=365)}T00:00:00Z"),
    )
    for why, body in _BODIES:
        yield Expect.REFUSE, why, body
    yield Expect.REFUSE, "more than 1 MiB", _event(good, "outcomeDescription", PAD.decode())
    for why, member_text in _DOUBTFUL:
        yield Expect.EITHER, why, _doubtful(good, member_text)


def _good(today: date) -> dict[str, Any]:
    stamp = f"{today - timedelta(days=1)}T12:00:00Z"
    return {"eventId": EVENT_ID.decode(), "timestamp": stamp, "action": "malformed", "status": "attempt"}


def _event(good: dict[str, Any], member: str, value: Any) -> bytes:
    event = {name: v for name, v in (good | {member: value}).items() if v is not _ABSENT}
    return json.dumps(event, ensure_ascii=False).encode()


def _doubtful(good: dict[str, Any], member_text: str) -> bytes:
    """The good event, with one member replaced by literal JSON text."""
    name = json.loads(member_text.partition(":")[0])
    rest = {n: v for n, v in good.items() if n != name}
    return (json.dumps(rest)[:-1] + ", " + member_text + "}").encode()
