"""Dead letters that a target tells over HTTP, as NDJSON and in pages: `GET url?offset=0&limit=1000`.

A line is one dead letter, with the members that `dead_letters.sql` has as columns. The last page has fewer lines than
the limit. A header `Total-Count` says how many there are: what the harness asks for while a run goes on, with limit=0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from shaketable.errors import TargetError

#: Dead letters asked for at a time.
PAGE = 1_000
#: Seconds that a page, and a count, may take.
PAGE_S, COUNT_S = 10.0, 1.0
#: The header that tells how many there are.
TOTAL = "Total-Count"

_line = msgspec.json.Decoder(dict[str, msgspec.Raw])
_required = frozenset({"event_id", "event"})


def count(url: str) -> int | None:
    """How many there are; None when that cannot be told."""
    try:
        answer = httpx.get(url, params={"offset": 0, "limit": 0}, timeout=COUNT_S, trust_env=False)
        return int(answer.raise_for_status().headers[TOTAL])
    except (httpx.HTTPError, KeyError, ValueError):
        return None


def ids(url: str) -> set[str]:
    """The ids of the events that are dead. Raises TargetError."""
    return {msgspec.json.decode(row["event_id"], type=str) for row in rows(url)}


def rows(url: str) -> Iterator[dict[str, Any]]:
    """All of them, each member as the target wrote it. Raises TargetError."""
    offset = 0
    while True:
        page = _page(url, offset)
        yield from page
        if len(page) < PAGE:
            return
        offset += len(page)


def _page(url: str, offset: int) -> list[dict[str, Any]]:
    try:
        answer = httpx.get(url, params={"offset": offset, "limit": PAGE}, timeout=PAGE_S, trust_env=False)
        found = [_line.decode(line) for line in answer.raise_for_status().content.splitlines() if line.strip()]
    except httpx.HTTPError as e:
        raise TargetError(f"the manifest's [dead_letters] url fails: {e}") from e
    except msgspec.MsgspecError as e:
        raise TargetError(f"expected one JSON object a line at the manifest's [dead_letters] url: {e}") from e
    if missing := next((lacking for row in found if (lacking := _required - row.keys())), None):
        raise TargetError(f"the manifest's [dead_letters] url gives no {' and no '.join(sorted(missing))}")
    return found
