"""Dead letters that a target tells over HTTP, as NDJSON and in pages: `GET url?offset=0&limit=1000`.

A line is one dead letter, with the members that `dead_letters.sql` has as columns. The last page has fewer lines than
the limit. A header `Total-Count` says how many there are: what the harness asks for while a run goes on, with limit=0.
A line that cannot be read becomes a letter with a member `unreadable` that says why, so that the others are judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from shaketable.errors import TargetError
from shaketable.target import stored_rows
from shaketable.target.bounded_http import NoResponse, get

#: Dead letters asked for at a time.
PAGE = 1_000
#: Seconds that a page, and a count, may take.
PAGE_S, COUNT_S = 10.0, 1.0
#: Bytes of a page, and dead letters in all: a target that ignores `offset` would never come to an end.
PAGE_BYTES, MOST = 256 << 20, 1_000_000
#: The status of a page.
OK = 200
#: The header that tells how many there are.
TOTAL = "Total-Count"

_line = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL = b"null"
_required = frozenset({"event_id", "event"})


def count(url: str) -> int | None:
    """How many there are; None when that cannot be told."""
    try:
        answer = get(url, COUNT_S, offset=0, limit=0)
        return int(answer.headers[TOTAL.lower()]) if answer.status == OK else None
    except (NoResponse, KeyError, ValueError):
        return None


def ids(url: str) -> set[str]:
    """The ids of the events that are dead, as far as the target gives them."""
    found = (
        msgspec.json.decode(row["event_id"], type=str | None)
        for row in stored_rows.readable(rows(url))
        if row.get("event_id") is not None
    )
    return {event_id for event_id in found if event_id is not None}


def rows(url: str) -> Iterator[dict[str, Any]]:
    """All of them, each member as the target wrote it. Raises TargetError."""
    offset = 0
    while True:
        page = _page(url, offset)
        yield from page
        if len(page) < PAGE:
            return
        offset += len(page)
        if offset > MOST:
            raise TargetError(f"the manifest's [dead_letters] url gives more than {MOST:,} (does it heed `offset`?)")


def _page(url: str, offset: int) -> list[dict[str, Any]]:
    try:
        answer = get(url, PAGE_S, most=PAGE_BYTES, offset=offset, limit=PAGE)
    except NoResponse as e:
        raise TargetError(f"the manifest's [dead_letters] url fails: {e}") from e
    if answer.status != OK:
        raise TargetError(f"the manifest's [dead_letters] url fails: expected {OK}, got {answer.status}")
    return [_read(line) for line in answer.content.split(b"\n") if line.strip()]


def _read(line: bytes) -> dict[str, Any]:
    """One letter, each member as it was written; its id is text, or null where it has none."""
    try:
        row: dict[str, Any] = _line.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        row = _leniently(line)
    event_id = bytes(row.get("event_id", _NULL))
    if not event_id.startswith(b'"'):  # a number is told as text
        row["event_id"] = msgspec.Raw(_NULL if event_id == _NULL else msgspec.json.encode(event_id.decode()))
    if "unreadable" not in row and (missing := sorted(_required - row.keys())):
        row["unreadable"] = f"the line has no {' and no '.join(missing)}"
    return row


def _leniently(line: bytes) -> dict[str, Any]:
    """The line by a reader that knows lone surrogates; the event becomes a string that holds its JSON."""
    try:
        told = json.loads(line)
        if not isinstance(told, dict):
            raise TypeError
        written = {name: json.dumps(value, allow_nan=False) for name, value in told.items()}
    except (ValueError, TypeError, RecursionError):
        return {"unreadable": "expected one JSON object a line"}
    return {name: msgspec.Raw(_as_text(text)) for name, text in written.items()}


def _as_text(text: str) -> bytes:
    """The JSON as it is; where it holds a lone surrogate, a string with the JSON in it."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return msgspec.json.encode(text)
    return text.encode()
