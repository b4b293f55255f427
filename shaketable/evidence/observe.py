"""Observe: read all stored rows, dead letters and queues directly, without links or the target's own reports."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from shaketable import libpq, rundir
from shaketable.errors import TargetError
from shaketable.evidence.backlog import Backlog
from shaketable.faults.kinds import triggers
from shaketable.files import foreign
from shaketable.rundir import RunDir
from shaketable.stack.stack import Stack
from shaketable.target import dead_letters, stored_rows
from shaketable.target.manifest import DeadLetters, Manifest

#: Bytes of a log line that are examined; only a statement's text is longer.
LOGGED = 64 << 10

#: Timeouts in seconds of a statement of the manifest: in the check before a run, and for each FETCH.
CHECK_S, STATEMENT_S = 10.0, 60.0
#: Time limit in seconds and maximum number of rows of a section: its SQL may never end.
ROWS_S, MOST = 300.0, 20_000_000
#: Seconds after which a silent server counts as frozen: for a section, and for all ids.
SECTION_S, IDS_S = ROWS_S + STATEMENT_S, 2 * STATEMENT_S + 10.0

Row = dict[str, Any]


def everything(run: RunDir, stack: Stack, manifest: Manifest, backlog: Backlog) -> None:
    """Write stored.jsonl, dead_letters.jsonl, queue.jsonl and received.jsonl. Raises an error for a silent server.

    If the target fails here, for example because it serves its dead letters over HTTP and is dead, the run is judged by
    the rest; a row with `unreadable` stands for the missing ones.
    """
    if manifest.queue is not None:  # first: an event stored in between is seen twice rather than never
        rundir.write_lines(run / rundir.QUEUE, ({"key": k, "length": n} for k, n in backlog.by_key().items()))
    for file, section, rows in _sections(manifest):
        with (
            libpq.connect_read_only(stack.owner_url(), STATEMENT_S) as connection,
            libpq.time_limit(connection, SECTION_S),
        ):
            rundir.write_lines(run / file, stored_rows.readable(bounded(rows(connection), section)))
    with (
        libpq.connect(stack.admin_url(), options="-c log_duration=off") as connection,
        libpq.time_limit(connection, CHECK_S),
    ):
        if poison := triggers.refused(connection):
            rundir.write_lines(run / rundir.POISON, ({"event_id": id_, "refused": n} for id_, n in poison if n))
    stack.collect_logs()
    if (log := run.logs / "postgres.log").exists():
        rundir.write_lines(run / rundir.RECEIVED, received(log))


def _sections(manifest: Manifest) -> Iterator[tuple[str, str, Callable[[psycopg.Connection[Any]], Iterator[Row]]]]:
    """The files with their section of the manifest and their rows."""
    yield rundir.STORED, "stored", lambda connection: stored(connection, manifest)
    if (dead := manifest.dead_letters) is not None:
        yield rundir.DEAD_LETTERS, "dead_letters", lambda connection: _dead(connection, dead)


def check_sql(stack: Stack, manifest: Manifest) -> None:
    """Check the manifest's SQL before the load. Raises TargetError naming the section."""
    queries = [("stored", manifest.stored.sql)]
    if (dead := manifest.dead_letters) is not None and dead.sql:
        queries.append(("dead_letters", dead.sql))
    bound_s = CHECK_S * (len(queries) + 1)
    with libpq.connect_read_only(stack.owner_url(), CHECK_S) as connection, libpq.time_limit(connection, bound_s):
        for section, query in queries:
            missing = {"event_id", "event"} - set(_tried(connection, section, query))
            if missing:
                raise TargetError(f"the manifest's [{section}] sql gives no column {' and no '.join(sorted(missing))}")


def _tried(connection: psycopg.Connection[Any], section: str, query: str) -> list[str]:
    try:
        return stored_rows.columns(connection, sql.SQL(query))
    except psycopg.Error as e:
        raise TargetError(f"the manifest's [{section}] sql fails: {e.diag.message_primary or e}") from e


def stored(connection: psycopg.Connection[Any], manifest: Manifest) -> Iterator[Row]:
    """One line per row: the event, its id, position, transaction and commit time (µs since the epoch)."""
    for row in stored_rows.rows(connection, manifest.stored.sql, "stored", commit_time=True):
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


def persisted_ids(stack: Stack, manifest: Manifest, within_s: float = IDS_S) -> set[str]:
    """The readable ids of all stored and dead-lettered events. Raises psycopg.OperationalError for a silent server.

    `within_s` applies to Postgres only.
    """
    dead = manifest.dead_letters
    kept: set[str] = set()
    connect = libpq.connect_read_only(stack.owner_url(), STATEMENT_S, autocommit=True)
    with connect as connection, libpq.time_limit(connection, within_s):
        for query in [manifest.stored.sql] + ([dead.sql] if dead and dead.sql else []):
            kept |= _ids(connection, query)
    return kept | dead_letters.ids(dead.url) if dead and dead.url else kept


def _ids(connection: psycopg.Connection[Any], query: str) -> set[str]:
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


def _dead(connection: psycopg.Connection[Any], dead: DeadLetters) -> Iterator[Row]:
    return dead_letters.rows(dead.url) if dead.url else stored_rows.rows(connection, dead.sql or "", "dead_letters")


def received(log: Path) -> Iterator[Row]:
    """Sessions and statements in Postgres's log by application name, never their text."""
    with foreign.opened(log, foreign.LINES) as lines:
        yield from _received(iter(partial(lines.readline, LOGGED), b""))


def _received(lines: Iterator[bytes]) -> Iterator[Row]:
    for line in lines:
        if found := _RECEIVED.match(line.decode(errors="replace")):
            at, by, what, ms, name = found.groups()
            if what == "duration" and ms is None:
                continue  # torn by a crash
            told = {"at_us": round(float(at) * 1_000_000), "by": name or by, "what": _WHAT[what]}
            yield {**told, "ms": float(ms)} if ms else told


def restarts(run: RunDir, panics: bool = False) -> list[str]:
    """A sentence for each killed or crashed process of Postgres, after which Postgres restarted all others.

    `panics`: a fault of the disk makes processes panic, which ends them by SIGABRT; those do not count.
    """
    log = run.logs / "postgres.log"
    if not log.exists():
        return []
    with foreign.opened(log, foreign.LINES) as lines:
        found = [match[1].decode(errors="replace") for line in lines if (match := _CRASHED.search(line))]
    found = [what for what in found if not (panics and what.endswith(" signal 6"))]
    return [f"postgres restarted by itself: {what} (see logs/postgres.log)" for what in found[:MOST_RESTARTS]]


#: The most restarts that are reported.
MOST_RESTARTS = 3
_CRASHED = re.compile(rb"LOG:  (.+? \(PID \d+\) was terminated by signal \d+)")
_RECEIVED = re.compile(
    r"(\d+\.\d+)\|\d+\|([^|]*)\|LOG:  (duration|connection authorized|disconnection):"
    r"(?: (\d+\.\d+) ms)?(?:.*application_name=(\S+))?"
)
_WHAT = {"duration": "statement", "connection authorized": "connect", "disconnection": "disconnect"}
