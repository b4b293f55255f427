"""The formats of ids: how the harness makes one, and which texts are the same id."""

from __future__ import annotations

import hashlib
import random
import re
import uuid
from collections.abc import Callable

from shaketable.event.table import PREFIXED

#: The alphabet of a ULID: Crockford's base 32.
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: The time of the first ULID of a schedule, in milliseconds since 1970; each event is one later.
ULID_EPOCH = 1_700_000_000_000

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Makes the id of the event with a number in the schedule.
NewId = Callable[[random.Random, int], str]


def maker(id_format: str) -> NewId:
    """A function that makes ids of a format: deterministic for the same random state, and unique in a schedule."""
    if id_format == "uuid":
        return _uuid
    if id_format == "ulid":
        return _ulid
    if id_format == "integer":
        return _integer
    prefix = _prefix(id_format)
    return lambda rng, n: prefix + _uuid(rng, n)


def uuid_of(event_id: str) -> str | None:
    """The UUID in an id, in lower case; None if it has none."""
    found = _UUID.search(event_id.lower())
    return found[0] if found else None


def trace_of(event_id: str) -> str:
    """The id of an event's trace, in hexadecimal: its UUID's digits, or a digest of another id."""
    found = uuid_of(event_id)
    return found.replace("-", "") if found else hashlib.md5(event_id.encode(), usedforsecurity=False).hexdigest()


def in_row(event_id: str) -> str:
    """The text by which a row is found to hold an id: its UUID, or the id itself, in lower case."""
    return uuid_of(event_id) or event_id.lower()


def of_row(text: str, id_format: str) -> str:
    """The id of a format that a row holds by this text."""
    return text.upper() if id_format == "ulid" else _prefix(id_format) + text


def _prefix(id_format: str) -> str:
    return id_format.removesuffix(PREFIXED) if id_format.endswith(PREFIXED) else ""


def normal(event_id: str, id_format: str = "uuid") -> str:
    """The form in which ids are compared: a UUID in lower case, as databases return it; any other id unchanged."""
    return event_id.lower() if id_format == "uuid" else event_id


def _uuid(rng: random.Random, _n: int) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _ulid(rng: random.Random, n: int) -> str:
    value = (ULID_EPOCH + n) << 80 | rng.getrandbits(80)
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def _integer(rng: random.Random, n: int) -> str:
    """Below 2^53, so that it survives as a double; the low bits count, so that no two are equal."""
    return str((rng.getrandbits(20) << 32) + n + 1)
