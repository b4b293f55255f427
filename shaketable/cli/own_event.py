"""Find where the id of an event is, and its format, for `init --event`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shaketable.errors import InputError, ManifestError
from shaketable.event import pointer
from shaketable.event.table import FORMATS, EventTable
from shaketable.load.mix import Mix
from shaketable.load.mix.own.corpus import OwnShapes

#: Names of an id, likely ones first.
NAMES = ("eventId", "event_id", "id", "uuid", "orderId", "order_id", "messageId", "message_id")
#: Shapes that are drawn to try an id.
TRIED = 10


def table(schema: Path, id_: str | None) -> EventTable:
    """The [event] of a schema: the given pointer or the first likely one, with the first format that satisfies it.

    Raises ManifestError for a schema that cannot be drawn from, and InputError when no id is found.
    """
    try:
        text = schema.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise InputError(f"expected a JSON Schema, got {schema}: {e}") from e
    candidates = [id_] if id_ else list(_likely(text))
    why: InputError = InputError(f"no member of {schema} looks like an id: name it with --id /order/id or so")
    for pointed in candidates:
        for id_format in (*FORMATS, *_prefixed(text)):
            found = EventTable(id=pointed, schema=schema.name, id_format=id_format)
            for mistake in found.mistakes():
                raise InputError(mistake)
            try:
                OwnShapes(found, schema.parent).corpus(Mix(shapes=TRIED), 1)
            except ManifestError as e:
                why = e
            else:
                return found
    raise why


def _likely(text: str) -> Iterator[str]:
    """Pointers to declared members with the name of an id, outer ones first."""
    try:
        found = list(_declared(json.loads(text), ()))
    except (ValueError, RecursionError):
        return  # what is wrong with the schema is reported when it is drawn from
    for depth in range(1, 4):
        for name in NAMES:
            yield from (pointer.written(path) for path in found if len(path) == depth and path[-1] == name)


def _declared(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        yield (*path, name)
        yield from _declared(inner, (*path, name))


def _prefixed(text: str) -> list[str]:
    """Formats with the literal that a pattern in the schema begins with, such as ^ORD-."""
    return [f"{found}{{uuid}}" for found in re.findall(r'"\^([A-Za-z0-9_:-]{1,40})', text)]
