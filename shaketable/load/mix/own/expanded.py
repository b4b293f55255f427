"""Put a definition in the place of each `$ref` that judges an object together with other parts of a schema.

Other references to that definition then need not agree with those parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shaketable.event import pointer
from shaketable.load.mix.own.pattern import DATA, TABLES

CHOICES = frozenset({"anyOf", "oneOf"})
#: Keywords whose content judges the same object as their neighbours.
PARTS = CHOICES | {"allOf", "not", "if", "then", "else"}
#: The most definitions that are put in place: a schema may refer to very many.
MOST = 1_000


def expanded(root: Any) -> Any:
    """A copy of a schema; a recursive reference, and one that leads elsewhere, stays one."""
    return _Expansion(root).of(root, part=False)


class _Expansion:
    def __init__(self, root: Any) -> None:
        self._root, self._left = root, MOST

    def of(self, schema: Any, *, part: bool, within: frozenset[str] = frozenset()) -> Any:
        """The schema; as a `part` it judges an object together with others. `within` are the references to it."""
        if isinstance(schema, list):
            return [self.of(each, part=part, within=within) for each in schema]
        if not isinstance(schema, dict):
            return schema
        ref = schema.get("$ref")
        if isinstance(ref, str) and (part or {"properties", *PARTS} & schema.keys()):
            found = self._definition(ref)
            if isinstance(found, dict) and ref not in within and self._left:
                self._left -= 1
                return self.of(_joined(schema, found), part=part, within=within | {ref})
        return {name: self._keyword(name, inner, within) for name, inner in schema.items()}

    def _keyword(self, name: str, inner: Any, within: frozenset[str]) -> Any:
        if name in DATA:
            return inner
        if name in TABLES and isinstance(inner, dict):
            return {key: self.of(each, part=False, within=within) for key, each in inner.items()}
        return self.of(inner, part=name in PARTS, within=within)

    def _definition(self, ref: str) -> Any:
        try:
            return pointer.find(self._root, pointer.steps(ref.removeprefix("#"))) if ref.startswith("#/") else None
        except LookupError:
            return None


def _joined(schema: Mapping[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    rest = {name: inner for name, inner in schema.items() if name != "$ref"}
    return {**rest, "allOf": [*rest.get("allOf", []), found]} if rest else found
