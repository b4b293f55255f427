"""Events of a target over HTTP, as NDJSON and in pages: `GET url?offset=0&limit=1000`.

The last page has fewer lines than the limit. The header `Total-Count` holds their number; during a run the harness
requests it with limit=0.
"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.errors import TargetError
from shaketable.target.bounded_http import NoResponse, get
from shaketable.target.readers import ndjson
from shaketable.target.readers.ndjson import Row
from shaketable.target.readers.whole import whole

#: Events per page.
PAGE = 1_000
#: Timeouts in seconds of a page and of a count.
PAGE_S, COUNT_S = 10.0, 1.0
#: The most bytes of a page, and the most events: a target that ignores `offset` would never end.
PAGE_BYTES, MOST = 256 << 20, 1_000_000
#: The expected status of a page.
OK = 200
#: The header with the total number.
TOTAL = "Total-Count"
#: The most bytes of a number.
NUMBER_BYTES = 1_000


def count(url: str) -> int | None:
    """The number of events; None when it is unknown."""
    try:
        answer = get(url, COUNT_S, offset=0, limit=0)
        return whole(answer.headers[TOTAL.lower()]) if answer.status == OK else None
    except (NoResponse, KeyError, ValueError):
        return None


def number(url: str) -> int | None:
    """The whole number that a URL answers with, as text; None when it is unknown."""
    try:
        answer = get(url, COUNT_S, most=NUMBER_BYTES)
        return whole(answer.text) if answer.status == OK else None
    except (NoResponse, ValueError):
        return None


def rows(url: str, section: str) -> Iterator[Row]:
    """All events, each member as the target wrote it. Raises TargetError."""
    offset = 0
    while True:
        page, total = _page(url, offset, section)
        yield from page
        offset += len(page)
        if len(page) < PAGE:
            if total is not None and offset < total:
                raise TargetError(
                    f"the manifest's [{section}] url returns {offset:,} of {total:,} ({TOTAL}): does it give each page "
                    f"up to {PAGE:,} lines?"
                )
            return
        if offset > MOST:
            raise TargetError(f"the manifest's [{section}] url returns more than {MOST:,}: does it use `offset`?")


def _page(url: str, offset: int, section: str) -> tuple[list[Row], int | None]:
    """The rows of a page, and how many there are in all, if the target says so."""
    try:
        answer = get(url, PAGE_S, most=PAGE_BYTES, offset=offset, limit=PAGE)
    except NoResponse as e:
        raise TargetError(f"the manifest's [{section}] url fails: {e}") from e
    if answer.status != OK:
        raise TargetError(f"the manifest's [{section}] url fails: expected {OK}, got {answer.status}")
    total = answer.headers.get(TOTAL.lower(), "")
    return list(ndjson.rows(answer.content.split(b"\n"))), int(total) if total.isdecimal() else None
