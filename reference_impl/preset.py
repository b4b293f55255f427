"""A preset: what an organization asks of its events: members that must be there, values for absent ones, rules."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from reference_impl import canonical
from reference_impl.errors import RefusedError

#: What JSON Schema calls a value's type, in Python.
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "boolean": (bool,), "object": (dict,), "array": (list,),
}  # fmt: skip


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a member must be, in JSON Schema's words; each word holds for values of its type only."""

    type: Literal["string", "number", "boolean", "object", "array"] | None = None
    enum: list[Any] | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as e:
                raise ValueError(f"expected a regular expression ({e})") from None

    def broken_by(self, value: Any) -> str | None:
        """What was expected, if this value is something else."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.type and not (isinstance(value, TYPES[self.type]) and (self.type != "number" or number)):
            return f"expected a {self.type}"
        if self.enum is not None and canonical.encode([value]) not in [canonical.encode([one]) for one in self.enum]:
            return f"expected one of {msgspec.json.encode(self.enum).decode()}"
        if isinstance(value, str):
            return self._broken_by_text(value)
        if number and not (self._or(self.minimum, value) <= value <= self._or(self.maximum, value)):
            return f"expected a number from {self._or(self.minimum, '-∞')} to {self._or(self.maximum, '∞')}"
        return None

    def _broken_by_text(self, value: str) -> str | None:
        if not self._or(self.min_length, 0) <= len(value) <= self._or(self.max_length, len(value)):
            return f"expected {self._or(self.min_length, 0)} to {self._or(self.max_length, '∞')} characters"
        if self.pattern is not None and not re.search(self.pattern, value):
            return f"expected text that matches {self.pattern}"
        return None

    @staticmethod
    def _or(bound: Any, otherwise: Any) -> Any:
        return otherwise if bound is None else bound


class Preset(msgspec.Struct, frozen=True):
    """One row of audit_preset."""

    name: str
    organization_id: str | None  # None: of any
    action: str | None  # None: any
    required_fields: list[str]
    default_values: dict[str, Any]
    validation: dict[str, Rule]

    def apply(self, members: dict[str, Any]) -> bool:
        """Fill in what is absent; whether anything was. Raises RefusedError for what is missing or against a rule."""
        absent = {name: value for name, value in self.default_values.items() if members.get(name) is None}
        members.update(absent)
        for name in self.required_fields:
            if members.get(name) is None:
                raise RefusedError(name, f"required by the preset {self.name!r}, and missing")
        for name, rule in self.validation.items():
            if members.get(name) is not None and (expected := rule.broken_by(members[name])):
                raise RefusedError(name, f"{expected} (preset {self.name!r})")
        return bool(absent)
