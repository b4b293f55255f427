r"""The patterns of a JSON Schema are those of ECMA-262: rewrite them so that Python's `re` reads them that way.

In Python `\d` and `\w` match digits and letters of every script, `\s` and `.` match other characters, and `$`
matches before a final line end, too. A processor would rightly refuse such texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

#: Keywords whose content is data, or a table of names.
DATA = frozenset({"const", "enum", "default", "examples"})
TABLES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
#: What each class escape matches, as the inside of a character class.
_CLASSES = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
}
_OTHERS = {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]"}
#: A character class, an escape, or a character. A `]` at the start of a class is a member in Python.
_TOKEN = re.compile(r"\[(\^?)(\]?(?:\\.|[^\\\]])*)\]|\\.|.", re.DOTALL)
_MEMBER = re.compile(r"\\.|.", re.DOTALL)
#: Flags at the start belong to no pattern of ECMA-262: their author means Python's.
_FLAGS = re.compile(r"\(\?[aiLmsux]+\)")


def python(pattern: str) -> str:
    """A pattern of ECMA-262 as one of Python that matches the same texts."""
    return pattern if _FLAGS.match(pattern) else _TOKEN.sub(_token, pattern)


def rewritten(schema: Any) -> Any:
    """A copy of a schema with each pattern as one of Python."""
    if isinstance(schema, list):
        return [rewritten(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: inner if name in DATA else _keyword(name, inner) for name, inner in schema.items()}


def _keyword(name: str, inner: Any) -> Any:
    if name == "pattern" and isinstance(inner, str):
        return python(inner)
    if name not in TABLES or not isinstance(inner, dict):
        return rewritten(inner)
    names = {key: key for key in inner} if name != "patternProperties" else _distinct(inner)
    return {names[key]: rewritten(each) for key, each in inner.items()}


def _distinct(patterns: Iterable[str]) -> dict[str, str]:
    """Each pattern as one of Python; two that become the same one must not become one entry."""
    found: dict[str, str] = {}
    for each in patterns:
        made = python(each)
        found[each] = each if made in found.values() else made
    return found


def _token(found: re.Match[str]) -> str:
    token = found[0]
    if found[2] is not None:
        return _class(found[1], found[2])
    if token[0] != "\\":
        return _OTHERS.get(token, token)
    inside = _CLASSES.get(token[1].lower())
    if inside is None:
        return token
    return f"[{inside}]" if token[1].islower() else f"[^{inside}]"


def _class(negated: str, members: str) -> str:
    """A character class. The complement of an escape is no range of characters, so it becomes an alternative."""
    inside = "".join(_members(members))
    inside = f"\\{inside}" if inside.startswith("^") else inside  # which a `\\W` before it kept from negating
    without = [_CLASSES[each[1].lower()] for each in _MEMBER.findall(members) if each in (r"\D", r"\W", r"\S")]
    if not without:
        return f"[{negated}{inside}]"
    if not negated:
        return "(?:" + "|".join([*(f"[^{each}]" for each in without), *([f"[{inside}]"] if inside else [])]) + ")"
    refused = [*(f"(?![^{each}])" for each in without[1:]), *([f"(?![{inside}])"] if inside else [])]
    return f"(?:{''.join(refused)}[{without[0]}])"


def _members(members: str) -> Iterator[str]:
    for each in _MEMBER.findall(members):
        if each not in (r"\D", r"\W", r"\S"):
            yield _CLASSES.get(each[1], each) if len(each) > 1 else each
