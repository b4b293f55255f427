"""Parse and compare a target's own events, as its manifest's [event] says.

Compared as values: numbers exactly (or as doubles), instants with a precision, a null member as an absent one, and all
else as it was sent. A path in a result is a JSON Pointer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from shaketable.event import ids, pointer
from shaketable.event.audit import exact_number
from shaketable.event.difference import of_instants, of_values
from shaketable.event.table import EventTable

#: By precision: nanoseconds.
UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_FRACTION = re.compile(r"[.,](\d+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OwnEvent:
    """Events of the kind that a manifest describes."""

    def __init__(self, table: EventTable) -> None:
        self.table = table

    @cached_property
    def _ignore(self) -> list[tuple[str, ...]]:
        return [pointer.steps(each) for each in self.table.ignore]

    @cached_property
    def _instants(self) -> list[tuple[str, ...]]:
        return [pointer.steps(each) for each in self.table.instants]

    def key(self, event_id: str) -> str:
        """The form in which ids are compared."""
        return ids.normal(event_id, self.table.id_format)

    def parse(self, text: bytes | str) -> dict[str, Any]:
        """Read an event as sent or stored, with exact numbers. Raises ValueError unless it is a JSON object."""
        value = json.loads(text, parse_int=exact_number, parse_float=exact_number, parse_constant=_refuse)
        if not isinstance(value, dict):
            raise ValueError(f"expected an event as a JSON object, got a JSON {type(value).__name__}")
        return value

    def contents(self, body: bytes) -> dict[str, Any]:
        """The top-level members without the id, as comparable values. Raises ValueError as `parse` does."""
        value = self.parse(body)
        at = pointer.steps(self.table.place)
        try:
            pointer.find(value, at)
            value = pointer.removed(value, at)
        except LookupError:
            pass
        return {name: self._value(inner) for name, inner in value.items() if inner is not None}

    def same(self, sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()) -> list[str]:
        """Return the pointers to differing members, never their values; [] for equal events."""
        return [path for path, _ in self.differences(sent, stored, adds)]

    def differences(
        self, sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()
    ) -> list[tuple[str, str]]:
        """The pointers as in `same`, each with the kind of its difference, or ""."""
        kept = {name: value for name, value in stored.items() if name in sent or name not in adds}
        found = {pointer.written(path): how for path, how in self._differing(dict(sent), kept, ())}
        return sorted(found.items())

    def _differing(self, left: Any, right: Any, path: pointer.Path) -> Iterator[tuple[pointer.Path, str]]:
        if any(pointer.fits(pattern, path) for pattern in self._ignore):
            return
        if isinstance(left, dict) and isinstance(right, dict):
            for name in dict.fromkeys((*left, *right)):
                if left.get(name) is not None or right.get(name) is not None:
                    yield from self._differing(left.get(name), right.get(name), (*path, name))
        elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            for at, (one, other) in enumerate(zip(left, right, strict=True)):
                yield from self._differing(one, other, (*path, at))
        elif not self._equal(left, right, path):
            yield path, self._how(left, right, path)

    def _how(self, left: Any, right: Any, path: pointer.Path) -> str:
        if isinstance(left, str) and isinstance(right, str) and self._is_instant(path):
            one, other = nanoseconds(left), nanoseconds(right)
            if one is not None and other is not None:
                return of_instants(one, other)
        return of_values(left, right)

    def _is_instant(self, path: pointer.Path) -> bool:
        return any(pointer.fits(pattern, path) for pattern in self._instants)

    def _equal(self, left: Any, right: Any, path: pointer.Path) -> bool:
        left, right = self._value(left), self._value(right)
        if type(left) is type(right) and left == right:
            return True
        if not (isinstance(left, str) and isinstance(right, str)):
            return False
        if self.table.id_format == "uuid" and path == pointer.steps(self.table.place):
            return left.lower() == right.lower()
        if not self._is_instant(path):
            return False
        one, other = nanoseconds(left), nanoseconds(right)
        return one is not None and other is not None and abs(one - other) < UNITS[self.table.precision]

    def _value(self, value: Any) -> Any:
        """A value to compare: a number exact or as a double, an object without null members."""
        if isinstance(value, Decimal):
            double = float(value) if self.table.numbers == "double" else math.inf
            return value if math.isinf(double) else double + 0.0
        if isinstance(value, Mapping):
            return {name: self._value(inner) for name, inner in value.items() if inner is not None}
        return [self._value(inner) for inner in value] if isinstance(value, list) else value


def nanoseconds(text: str) -> int | None:
    """Nanoseconds since 1970 of an RFC 3339 timestamp, truncated after nine digits; None for another text."""
    found = _FRACTION.search(text)
    try:
        at = datetime.fromisoformat((_FRACTION.sub("", text, 1) if found else text).upper())
    except ValueError:
        return None
    fraction = int(f"{found[1]:0<9}"[:9]) if found else 0
    since = at - _EPOCH if at.tzinfo else None
    return None if since is None else (since.days * 86_400 + since.seconds) * 1_000_000_000 + fraction


def _refuse(text: str) -> None:
    raise ValueError(f"expected JSON, got {text}: JSON has no such number")
