"""A preset: what an organization asks of its events: members that must be there, values for absent ones, rules."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

#: What JSON Schema calls a value's type, in Python.
TYPES = {"string": str, "number": float, "boolean": bool, "object": dict[str, Any], "array": list[Any]}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a member must be, in JSON Schema's words."""

    type: Literal["string", "number", "boolean", "object", "array"] = "string"
    enum: list[str] | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None

    def accepted(self) -> Any:
        """The type of the values that keep it."""
        if self.enum is not None:
            return Literal[tuple(self.enum)]
        size = Meta(pattern=self.pattern, min_length=self.min_length, max_length=self.max_length)
        return Annotated[TYPES[self.type], Meta(ge=self.minimum, le=self.maximum), size]


class Preset(msgspec.Struct, frozen=True):
    """One row of audit_preset."""

    name: str
    organization_id: str | None  # None: of any
    action: str | None  # None: any
    required_fields: list[str]
    default_values: dict[str, Any]
    validation: dict[str, Rule]
    shape: Any = None  # of the members that are required or have a rule

    def __post_init__(self) -> None:
        try:
            msgspec.structs.force_setattr(self, "shape", self._shape())
            msgspec.convert({}, self.shape | None)
        except (TypeError, re.error) as e:
            raise ValueError(f"preset {self.name!r}: {e}") from None
        except msgspec.ValidationError:
            pass  # of the empty object: the rules can be followed

    def _shape(self) -> Any:
        names = list({**dict.fromkeys(self.required_fields), **self.validation})
        rules = [self.validation[name].accepted() if name in self.validation else Any for name in names]
        fields = [
            (f"f{n}", rule) if name in self.required_fields else (f"f{n}", rule, None)
            for n, (name, rule) in enumerate(zip(names, rules, strict=True))
        ]
        fields.sort(key=len)  # those without a default first
        return msgspec.defstruct("Members", fields, rename={f"f{n}": name for n, name in enumerate(names)})

    def apply(self, members: dict[str, Any]) -> bool:
        """Fill in what is absent; whether anything was. Raises msgspec.ValidationError for what it does not take."""
        absent = {name: value for name, value in self.default_values.items() if members.get(name) is None}
        members.update(absent)
        msgspec.convert({name: value for name, value in members.items() if value is not None}, self.shape)
        return bool(absent)
