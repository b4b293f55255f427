"""Kinds by name: built-in ones, ones that installed packages register, and ones that a scenario adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import EntryPoints, entry_points
from typing import Any, Generic, TypeVar

import msgspec

from shaketable.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Turns `{"kind": "latency", "service": "postgres", "ms": 300}` into a value and back.

    The kind is the class attribute `kind` (faults) or `name` (checks); the other members are the fields.
    """

    def __init__(self, group: str, noun: str, kinds: Iterable[type[Any]], key: str = "kind") -> None:
        self._group, self._noun, self._key = group, noun, key
        self._kinds = {getattr(kind, key): kind for kind in kinds}

    def kinds(self) -> dict[str, type[Any]]:
        """Every known kind: built-in ones first, then those registered by packages."""
        registered = (entry.load() for entry in self._entry_points)
        return {**self._kinds, **{getattr(kind, self._key): kind for kind in registered}}

    @cached_property
    def _entry_points(self) -> EntryPoints:
        """Those of the installed packages: reading the metadata of all takes 10 ms, and a report asks 20 times."""
        return entry_points(group=self._group)

    def add(self, kind: type[Any]) -> None:
        """Register a kind in this process, such as one defined in a scenario file."""
        self._kinds[getattr(kind, self._key)] = kind

    def to_spec(self, value: T) -> dict[str, Any]:
        """The value as JSON-able data."""
        return {self._key: getattr(value, self._key), **asdict(value)}  # type: ignore[call-overload]

    def from_spec(self, spec: dict[str, Any]) -> T:
        """Build a value from its spec. Raises InputError for an unknown kind, an unknown field or a wrong type."""
        kinds, name = self.kinds(), spec.get(self._key)
        if name not in kinds:
            raise InputError(f"expected a {self._noun}, one of {', '.join(sorted(kinds))}: got {name!r}")
        fields = {key: value for key, value in spec.items() if key != self._key}
        known = kinds[name].__dataclass_fields__
        if odd := sorted(fields.keys() - known.keys()):
            raise InputError(f"{self._noun} {name} has no field {odd[0]!r}: it knows {', '.join(known) or 'none'}")
        try:
            return msgspec.convert(fields, kinds[name])  # type: ignore[no-any-return]
        except (msgspec.ValidationError, TypeError) as e:
            raise InputError(f"{self._noun} {name}: {e}") from e
