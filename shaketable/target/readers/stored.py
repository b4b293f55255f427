"""The stored events of a target: by SQL, by URL, by a command, or as its receiver of webhooks has them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.errors import TargetError
from shaketable.stack.stack import Stack
from shaketable.target import stored_rows
from shaketable.target.manifest import Manifest
from shaketable.target.readers import command, ndjson, pages
from shaketable.target.readers.database import Database
from shaketable.target.readers.ndjson import Row
from shaketable.target.readers.queue import Throttled

#: Timeouts in seconds of a statement of the manifest: in the check before a run, and for each FETCH.
CHECK_S, STATEMENT_S = 10.0, 60.0
#: Time limit in seconds and maximum number of rows of a section: its SQL may never end.
ROWS_S, MOST = 300.0, 20_000_000
#: Seconds after which a silent server counts as frozen: for a section, and for all ids.
SECTION_S, IDS_S = ROWS_S + STATEMENT_S, 2 * STATEMENT_S + 10.0


class StoredCount:
    """The number of stored events, bounded; None when it is unknown."""

    def __init__(self, stack: Stack, manifest: Manifest) -> None:
        self._stored = manifest.stored
        self._database = Database(stack) if self._stored.sql is not None else None
        self._command = Throttled(lambda: len(command.lines(stack, manifest, "stored", self._stored.command)))

    def value(self) -> int | None:
        """The number now; that of a command may be some seconds old."""
        if self._database is not None:
            return self._database.count(self._stored.sql or "")
        return pages.count(self._stored.url) if self._stored.url else self._command.value()

    def close(self) -> None:
        """Close its session."""
        if self._database is not None:
            self._database.close()


def rows(stack: Stack, manifest: Manifest) -> Iterator[Row]:
    """One row per stored event: its id, position, transaction and commit time (µs since the epoch), and content.

    Raises TargetError when the target fails, psycopg.OperationalError for a silent server.
    """
    if manifest.stored.sql is None:
        yield from (ndjson.stored(each) for each in _lines(stack, manifest))
        return
    with reading(stack, SECTION_S) as connection:
        yield from by_sql(connection, manifest)


def by_sql(connection: psycopg.Connection[Any], manifest: Manifest) -> Iterator[Row]:
    """The rows of the manifest's SQL."""
    for row in stored_rows.rows(connection, manifest.stored.sql or "", "stored", commit_time=True):
        if "unreadable" in row:
            yield row
        else:
            yield {
                "event_id": row["event_id"],
                "position": row.get("position"),
                "xid": row.get("xmin"),
                "committed_at": row.get("committed_at"),
                "event": row["event"],
            }


def ids(stack: Stack, manifest: Manifest, within_s: float = IDS_S) -> set[str]:
    """The readable ids of all stored events; an empty set when they cannot be read.

    Raises psycopg.OperationalError for a silent server.
    """
    if manifest.stored.sql is not None:
        with reading(stack, within_s, autocommit=True) as connection:
            return sql_ids(connection, manifest.stored.sql)
    try:
        rows = bounded(_lines(stack, manifest), "stored", within_s=within_s)
        return {found for row in rows if (found := ndjson.id_of(row)) is not None}
    except TargetError:
        return set()


def check(stack: Stack, manifest: Manifest) -> None:
    """Try [stored] before the load. Raises TargetError, unless it is read by SQL (`check_sql`) or not by the target."""
    if manifest.stored.sql is None:
        for row in _lines(stack, manifest):
            if "unreadable" in row:
                raise TargetError(f"a line of the manifest's [stored] cannot be read: {row['unreadable']}")


def _lines(stack: Stack, manifest: Manifest) -> Iterator[Row]:
    if manifest.stored.url:
        yield from pages.rows(manifest.stored.url, "stored")
    else:
        yield from ndjson.rows(command.lines(stack, manifest, "stored", manifest.stored.command))


def bounded(rows: Iterator[Row], section: str, most: int = MOST, within_s: float = ROWS_S) -> Iterator[Row]:
    """The rows, limited in number and time. Raises TargetError beyond the limits."""
    deadline = time.monotonic() + within_s
    for number, row in enumerate(rows):
        if number == most or time.monotonic() > deadline:
            raise TargetError(
                f"expected the manifest's [{section}] to give at most {most:,} rows within {within_s:g} s, "
                f"got {number:,} so far: does it come to an end?"
            )
        yield row


@contextmanager
def reading(stack: Stack, within_s: float, **more: Any) -> Iterator[psycopg.Connection[Any]]:
    """The harness's read-only session as the target's role. Raises psycopg.OperationalError for a silent server."""
    with (
        libpq.connect_read_only(stack.owner_url(), STATEMENT_S, **more) as connection,
        libpq.time_limit(connection, within_s),
    ):
        yield connection


def sql_ids(connection: psycopg.Connection[Any], query: str) -> set[str]:
    """The ids of the SQL's rows; an empty set when it fails, even at a single row."""
    try:
        return {
            row[0]
            for row in connection.execute(
                sql.SQL("select event_id::text from ({}) as q").format(sql.SQL(query)), prepare=True
            )
        }
    except psycopg.Error:
        if connection.closed:
            raise
        return set()
