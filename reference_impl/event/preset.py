"""A preset: the required members, default values and rules that an organization sets for its events."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

#: The types of JSON Schema, in Python.
TYPES = {"string": str, "number": float, "boolean": bool, "object": dict[str, Any], "array": list[Any]}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A constraint on one member, in the terms of JSON Schema."""

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
    shape: Any = None  # the struct of the members that are required or have a rule

    def __post_init__(self) -> None:
        try:
            msgspec.structs.force_setattr(self, "shape", self._shape())
            msgspec.convert({}, self.shape | None)
        except (TypeError, re.error) as e:
            raise ValueError(f"preset {self.name!r}: {e}") from None
        except msgspec.ValidationError:
            pass  # the empty object is invalid, so the rules can be evaluated

    def _shape(self) -> Any:
        names = list({**dict.fromkeys(self.required_fields), **self.validation})
        rules = [self.validation[name].accepted() if name in self.validation else Any for name in names]
        fields = [
            (f"f{n}", rule) if name in self.required_fields else (f"f{n}", rule, None)
            for n, (name, rule) in enumerate(zip(names, rules, strict=True))
        ]
        rename = {f"f{n}": name for n, name in enumerate(names)}
        return msgspec.defstruct("Members", fields, rename=rename, kw_only=True)

    def apply(self, members: dict[str, Any]) -> None:
        """Fill in the default values of absent members, and validate all. Raises msgspec.ValidationError."""
        members.update({name: value for name, value in self.default_values.items() if members.get(name) is None})
        msgspec.convert({name: value for name, value in members.items() if value is not None}, self.shape)
