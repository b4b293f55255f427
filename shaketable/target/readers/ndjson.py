"""Lines of NDJSON, one event a line; its members are the columns of the SQL, each as the target wrote it.

An unreadable line becomes a row whose member `unreadable` holds the reason, so that the others are still judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from shaketable.event import json_text
from shaketable.event.pointer import steps
from shaketable.target import stored_rows

Row = dict[str, Any]

_required = frozenset({"event_id", "event"})
#: The largest time that a run's files may hold, in microseconds (the year 2112).
_LATEST = 2**52


def rows(lines: Iterable[bytes]) -> Iterator[Row]:
    """The row of each line that is not empty."""
    return (row(line) for line in lines if line.strip())


def row(line: bytes) -> Row:
    """One event, each member as written; its id is a string, or null if it has none."""
    try:
        text, why = line.decode(), ""
    except UnicodeDecodeError:
        text, why = line.decode(errors="replace"), "the line is no UTF-8"
    found = _members(text)
    missing = sorted(_required - found.keys()) if found else []
    why = why or (f"the line has no {' and no '.join(missing)}" if missing else "")
    why = why if found else "expected one JSON object a line"
    if why:
        return {"event_id": _id(found.get("event_id", "null")), "unreadable": why}
    return from_members(found)


def from_members(members: Mapping[str, str]) -> Row:
    """The row of an event whose members are given as JSON."""
    event_id = _id(members["event_id"])
    found = {name: stored_rows.as_json(name, members[name]) for name in stored_rows.COLUMNS if name in members}
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in found.items()} | {"event_id": event_id}


def members(entry: bytes) -> dict[str, str]:
    """The JSON of each member of an object, unchanged; none for anything else."""
    return _members(entry.decode(errors="replace"))


def at(body: bytes, pointer: str) -> bytes | None:
    """The JSON at a JSON Pointer (RFC 6901), unchanged; None if there is none, or the body is no JSON in UTF-8."""
    try:
        return json_text.at(body.decode(), steps(pointer)).encode()
    except (ValueError, LookupError, RecursionError):
        return None


def stored(found: Row) -> Row:
    """A row of [stored]: its position as a whole number, its commit time in µs since the epoch, or null."""
    if "unreadable" in found:
        return found
    position, committed_at = (_value(found.get(name)) for name in ("position", "committed_at"))
    return {
        "event_id": found["event_id"],
        "position": position if type(position) is int and abs(position) < 2**63 else None,
        "committed_at": _microseconds(committed_at),
        "event": found["event"],
    }


def id_of(found: Row) -> str | None:
    """The id of a row, or None."""
    written = found.get("event_id")
    return msgspec.json.decode(written, type=str | None) if isinstance(written, msgspec.Raw) else written


def _value(written: Any) -> Any:
    return msgspec.json.decode(written) if isinstance(written, msgspec.Raw) else written


def _microseconds(value: Any) -> int | None:
    """An RFC 3339 instant with its offset, or a whole number of µs; None for anything else."""
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            return None
        value = None if instant.tzinfo is None else round(instant.timestamp() * 1_000_000)
    return value if type(value) is int and 0 <= value <= _LATEST else None


def _id(written: str) -> msgspec.Raw:
    """A string or null unchanged; anything else, such as a number, becomes a string."""
    try:
        msgspec.json.decode(written, type=str | None)
    except msgspec.MsgspecError:
        return msgspec.Raw(msgspec.json.encode(written))
    return msgspec.Raw(json_text.on_one_line(written.encode()))


def _members(line: str) -> dict[str, str]:
    """The JSON of each member, unchanged; none for a line that is no JSON object."""
    try:
        return json_text.members(line)
    except (ValueError, RecursionError):
        return {}
