"""Read a target's dead letters over HTTP, as NDJSON and in pages: `GET url?offset=0&limit=1000`.

A line is one dead letter, whose members are the columns of `dead_letters.sql`. The last page has fewer lines than the
limit. The header `Total-Count` holds their number; during a run the harness requests it with limit=0. An unreadable
line becomes a dead letter whose member `unreadable` holds the reason, so that the others are still judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from shaketable.errors import TargetError
from shaketable.target import stored_rows
from shaketable.target.bounded_http import NoResponse, get

#: Dead letters per page.
PAGE = 1_000
#: Timeouts in seconds of a page and of a count.
PAGE_S, COUNT_S = 10.0, 1.0
#: The most bytes of a page, and the most dead letters: a target that ignores `offset` would never end.
PAGE_BYTES, MOST = 256 << 20, 1_000_000
#: The expected status of a page.
OK = 200
#: The header with the total number.
TOTAL = "Total-Count"

_line = msgspec.json.Decoder(dict[str, msgspec.Raw])
_required = frozenset({"event_id", "event"})


def count(url: str) -> int | None:
    """The number of dead letters; None when it is unknown."""
    try:
        answer = get(url, COUNT_S, offset=0, limit=0)
        return int(answer.headers[TOTAL.lower()]) if answer.status == OK else None
    except (NoResponse, KeyError, ValueError):
        return None


def ids(url: str) -> set[str]:
    """The event ids of the dead letters that have one."""
    found = (
        msgspec.json.decode(row["event_id"], type=str | None)
        for row in stored_rows.readable(rows(url))
        if row.get("event_id") is not None
    )
    return {event_id for event_id in found if event_id is not None}


def rows(url: str) -> Iterator[dict[str, Any]]:
    """All dead letters, each member as the target wrote it. Raises TargetError."""
    offset = 0
    while True:
        page = _page(url, offset)
        yield from page
        if len(page) < PAGE:
            return
        offset += len(page)
        if offset > MOST:
            raise TargetError(f"the manifest's [dead_letters] url returns more than {MOST:,}: does it use `offset`?")


def _page(url: str, offset: int) -> list[dict[str, Any]]:
    try:
        answer = get(url, PAGE_S, most=PAGE_BYTES, offset=offset, limit=PAGE)
    except NoResponse as e:
        raise TargetError(f"the manifest's [dead_letters] url fails: {e}") from e
    if answer.status != OK:
        raise TargetError(f"the manifest's [dead_letters] url fails: expected {OK}, got {answer.status}")
    return [_read(line) for line in answer.content.split(b"\n") if line.strip()]


def _read(line: bytes) -> dict[str, Any]:
    """One dead letter, each member as written; its id is a string, or null if it has none."""
    try:
        text, why = line.decode(), ""
    except UnicodeDecodeError:
        text, why = line.decode(errors="replace"), "the line is no UTF-8"
    members = _members(text)
    event_id = _id(members.get("event_id", "null"))
    missing = sorted(_required - members.keys()) if members else []
    why = why or (f"the line has no {' and no '.join(missing)}" if missing else "")
    why = why if members else "expected one JSON object a line"
    if why:
        return {"event_id": event_id, "unreadable": why}
    told = {name: stored_rows.as_json(name, members[name]) for name in stored_rows.COLUMNS if name in members}
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in told.items()} | {"event_id": event_id}


def _id(written: str) -> msgspec.Raw:
    """A string or null unchanged; anything else, such as a number, becomes a string."""
    try:
        msgspec.json.decode(written, type=str | None)
    except msgspec.MsgspecError:
        return msgspec.Raw(msgspec.json.encode(written))
    return msgspec.Raw(written.encode())


def _members(line: str) -> dict[str, str]:
    """The JSON of each member, unchanged; none for a line that is no JSON object."""
    try:
        return {name: bytes(written).decode() for name, written in _line.decode(line).items()}
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:  # with a parser that accepts lone surrogates
        told = json.loads(line)
        return {name: json.dumps(value, allow_nan=False) for name, value in told.items()}
    except (ValueError, AttributeError, RecursionError):
        return {}
