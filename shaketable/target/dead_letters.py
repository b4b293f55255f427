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
_NULL = b"null"
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
        row: dict[str, Any] = _line.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        row = _leniently(line)
    event_id = bytes(row.get("event_id", _NULL))
    if not event_id.startswith(b'"'):  # a number becomes a string
        row["event_id"] = msgspec.Raw(_NULL if event_id == _NULL else msgspec.json.encode(event_id.decode()))
    if "unreadable" not in row and (missing := sorted(_required - row.keys())):
        row["unreadable"] = f"the line has no {' and no '.join(missing)}"
    return row


def _leniently(line: bytes) -> dict[str, Any]:
    """Parse the line with a parser that accepts lone surrogates; such a value becomes a string with its JSON."""
    try:
        told = json.loads(line)
        if not isinstance(told, dict):
            raise TypeError
        written = {name: json.dumps(value, allow_nan=False) for name, value in told.items()}
    except (ValueError, TypeError, RecursionError):
        return {"unreadable": "expected one JSON object a line"}
    return {name: msgspec.Raw(_as_text(text)) for name, text in written.items()}


def _as_text(text: str) -> bytes:
    """The JSON unchanged, or a string with the JSON if it contains a lone surrogate."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return msgspec.json.encode(text)
    return text.encode()
