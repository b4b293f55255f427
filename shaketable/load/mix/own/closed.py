"""Close the objects of a schema: only members that it names are drawn, unless it says something about others.

The parts of an `allOf`, `anyOf`, `oneOf` or `if` judge one object together. So an object is closed to the names of all
of them, and each choice of an `anyOf` or `oneOf` to its own names and the common ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from shaketable.load.mix.own.expanded import CHOICES, PARTS, expanded
from shaketable.load.mix.own.pattern import DATA, TABLES

#: Keywords that say something about other members, or refer to parts that only a validator finds.
_OPEN = frozenset(
    {"$ref", "$dynamicRef", "$recursiveRef", "additionalProperties", "patternProperties", "unevaluatedProperties"}
)
_NONE: frozenset[str] = frozenset()

Schema = Mapping[str, Any]


def closed(root: Any) -> Any:
    """A copy whose objects allow the named members only, unless the schema says something about others."""
    return _value(expanded(root))


def _value(schema: Any, beside: frozenset[str] = _NONE) -> Any:
    """The schema of a value; others for the same value name the members `beside`."""
    if isinstance(schema, list):
        return [_value(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    parts = list(_parts(schema))
    if any(_OPEN & part.keys() for part in parts) or not any("properties" in part for part in parts):
        return {name: inner if name in PARTS else _keyword(name, inner) for name, inner in schema.items()}
    return _closed(_part(schema, _shared(parts)), beside)


def _keyword(name: str, inner: Any) -> Any:
    if name in DATA:
        return inner
    if name in TABLES and isinstance(inner, dict):
        return {key: _value(each) for key, each in inner.items()}
    return _value(inner)


def _closed(schema: Any, beside: frozenset[str]) -> Any:
    """The schema with no members but those that it, its parts and `beside` name."""
    if not isinstance(schema, dict):
        return schema
    common = beside.union(*map(_names, _parts(schema, choices=False)))
    named = beside.union(*map(_names, _parts(schema)))
    found = dict(schema)
    for key in CHOICES & found.keys() if named > common else ():
        found[key] = [_closed(each, common) for each in found[key]]
    members = {name: _any(name, schema) for name in sorted(named)} | schema.get("properties", {})
    return {**found, "properties": members, "additionalProperties": False}


def _any(name: str, schema: Any) -> Any:
    """The schema of a member for all parts: one of their schemas. An `if` only asks."""
    said = [part["properties"][name] for part in _parts(schema, asked=False) if name in part.get("properties", {})]
    return {"anyOf": said} if said else True


def _part(part: Any, shared: Mapping[str, frozenset[str]]) -> Any:
    """A part of an object with closed members; of those in `shared`, several parts name members."""
    if not isinstance(part, dict):
        return part
    found: dict[str, Any] = {}
    for name, inner in part.items():
        if name == "properties":
            found[name] = {key: _value(each, shared.get(key, _NONE)) for key, each in inner.items()}
        elif name in ("not", "if"):  # a closed one would judge otherwise
            found[name] = inner
        elif name in PARTS:
            found[name] = [_part(each, shared) for each in inner] if isinstance(inner, list) else _part(inner, shared)
        else:
            found[name] = _keyword(name, inner)
    return found


def _parts(schema: Any, *, choices: bool = True, asked: bool = True) -> Iterator[Schema]:
    """The schema and those within it that judge the same object."""
    if isinstance(schema, dict):
        yield schema
        left = {"not", *(() if choices else CHOICES), *(() if asked else ("if",))}
        for name in sorted(PARTS & schema.keys() - left):
            for each in schema[name] if isinstance(schema[name], list) else [schema[name]]:
                yield from _parts(each, choices=choices, asked=asked)


def _names(part: Schema) -> frozenset[str]:
    """The members that one part names."""
    dependent = part.get("dependentRequired", {})
    return frozenset([*part.get("properties", {}), *part.get("required", []), *dependent]).union(*dependent.values())


def _shared(parts: list[Schema]) -> Mapping[str, frozenset[str]]:
    """The names of all parts within each member that several of them describe."""
    found: dict[str, list[Any]] = defaultdict(list)
    for part in parts:
        for name, each in part.get("properties", {}).items():
            found[name].append(each)
    return {
        name: _NONE.union(*(_names(part) for each in said for part in _parts(each)))
        for name, said in found.items()
        if len(said) > 1
    }
