"""Read a target's dead letters over HTTP, as NDJSON and in pages (`readers.pages`).

A line is one dead letter, whose members are the columns of `dead_letters.sql`.
"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.target import stored_rows
from shaketable.target.readers import ndjson, pages
from shaketable.target.readers.ndjson import Row

#: Timeout of a count in seconds, and the header with the total number.
COUNT_S, TOTAL = pages.COUNT_S, pages.TOTAL


def count(url: str) -> int | None:
    """The number of dead letters; None when it is unknown."""
    return pages.count(url)


def ids(url: str) -> set[str]:
    """The event ids of the dead letters that have one."""
    return ids_of(rows(url))


def ids_of(rows: Iterator[Row]) -> set[str]:
    """The ids of the rows that have one, until reading fails."""
    found = (ndjson.id_of(row) for row in stored_rows.readable(rows))
    return {event_id for event_id in found if event_id is not None}


def rows(url: str) -> Iterator[Row]:
    """All dead letters, each member as the target wrote it. Raises TargetError."""
    return pages.rows(url, "dead_letters")
