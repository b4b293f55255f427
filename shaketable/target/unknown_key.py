"""A sentence on a key that a manifest's table does not have: the nearest one that it has."""

from __future__ import annotations

import difflib
import re
from typing import Any, get_args, get_type_hints

import msgspec

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*?)`(?: - at `\$(?P<path>.*)`)?")
_STEP = re.compile(r"\.([^.\[]+)")


def sentence(error: Exception, root: type[msgspec.Struct]) -> str:
    """The key, its table and what to write instead; "" for any other error."""
    if (found := _UNKNOWN.fullmatch(str(error))) is None:
        return ""
    steps, table = _STEP.findall(found["path"] or ""), root
    for step in steps:
        inside = _struct(get_type_hints(table).get(step))
        if inside is None:
            return ""
        table = inside
    keys = sorted(table.__struct_fields__)
    near = difflib.get_close_matches(found["key"], keys, 1)
    where = f"[{'.'.join(steps)}]" if steps else "the manifest"
    remedy = f"write {near[0]!r}" if near else f"it has {', '.join(keys)}"
    return f"{where} has no key {found['key']!r}: {remedy}"


def _struct(hint: Any) -> type[msgspec.Struct] | None:
    """The table in a type, also in an optional one or in a tuple of them."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for each in get_args(hint) if (found := _struct(each))), None)
