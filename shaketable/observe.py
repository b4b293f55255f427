"""Observe: read what was kept, directly and whole, past every link and past the target's own word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from shaketable import foreign, letters, libpq, rundir
from shaketable.backlog import Backlog
from shaketable.errors import HarnessError, TargetError
from shaketable.faults import triggers
from shaketable.manifest import DeadLetters, Manifest
from shaketable.rundir import RunDir
from shaketable.stack import Stack

#: Rows fetched at a time.
FETCH = 5_000

#: Bytes of one line of a log that are looked at: what stands further behind is a statement's text.
LOGGED = 64 << 10

Row = dict[str, Any]


def everything(run: RunDir, stack: Stack, manifest: Manifest, backlog: Backlog) -> None:
    """Write stored.jsonl, dead_letters.jsonl, queue.jsonl and received.jsonl. Raises TargetError for SQL that fails."""
    if manifest.queue is not None:  # first: an event that is stored in between is seen twice, not never
        rundir.write_lines(run / rundir.QUEUE, ({"key": k, "length": n} for k, n in backlog.by_key().items()))
    with libpq.connect(stack.admin_url(), options="-c log_duration=off") as connection:
        rundir.write_lines(run / rundir.STORED, stored(connection, manifest))
        if manifest.dead_letters is not None:
            rundir.write_lines(run / rundir.DEAD_LETTERS, _dead(connection, manifest.dead_letters))
        if poison := triggers.refused(connection):
            rundir.write_lines(run / rundir.POISON, ({"event_id": id_, "refused": n} for id_, n in poison if n))
    stack.collect_logs()
    if (log := run.logs / "postgres.log").exists():
        rundir.write_lines(run / rundir.RECEIVED, received(log))


def check_sql(stack: Stack, manifest: Manifest) -> None:
    """Try the manifest's SQL before anything is sent. Raises TargetError naming the section."""
    queries = [("stored", manifest.stored.sql)]
    if (dead := manifest.dead_letters) is not None and dead.sql:
        queries.append(("dead_letters", dead.sql))
    with libpq.connect(stack.admin_url()) as connection:
        for section, query in queries:
            missing = {"event_id", "event"} - set(_tried(connection, section, query))
            if missing:
                raise TargetError(f"the manifest's [{section}] sql gives no column {' and no '.join(sorted(missing))}")


def _tried(connection: psycopg.Connection[Any], section: str, query: str) -> list[str]:
    try:
        return _columns(connection, sql.SQL(query))
    except psycopg.Error as e:
        raise TargetError(f"the manifest's [{section}] sql fails: {e.diag.message_primary or e}") from e


def stored(connection: psycopg.Connection[Any], manifest: Manifest) -> Iterator[Row]:
    """A line for each row that holds an event: its id, position, transaction, commit time (µs since the epoch)."""
    for row in _rows(connection, manifest.stored.sql, "stored", commit_time=True):
        yield {"event_id": row["event_id"], "position": row.get("position"), "xid": row.get("xmin"),
               "committed_at": row.get("committed_at"), "event": row["event"]}  # fmt: skip


def kept_ids(stack: Stack, manifest: Manifest) -> set[str]:
    """The ids of all that is stored or dead."""
    dead = manifest.dead_letters
    with libpq.connect(stack.admin_url(), options="-c log_duration=off") as connection:
        queries = [manifest.stored.sql] + ([dead.sql] if dead and dead.sql else [])
        kept = {row[0] for query in queries for row in connection.execute(
            sql.SQL("select event_id::text from ({}) as q").format(sql.SQL(query)))}  # fmt: skip
    return kept | letters.ids(dead.url) if dead and dead.url else kept


def _dead(connection: psycopg.Connection[Any], dead: DeadLetters) -> Iterator[Row]:
    return letters.rows(dead.url) if dead.url else _rows(connection, dead.sql or "", "dead_letters")


def received(log: Path) -> Iterator[Row]:
    """What Postgres says it received, by application name: sessions begun and statements done, never their text."""
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


_RECEIVED = re.compile(
    r"(\d+\.\d+)\|\d+\|([^|]*)\|LOG:  (duration|connection authorized|disconnection):"
    r"(?: (\d+\.\d+) ms)?(?:.*application_name=(\S+))?"
)
_WHAT = {"duration": "statement", "connection authorized": "connect", "disconnection": "disconnect"}


def _rows(connection: psycopg.Connection[Any], query: str, section: str, commit_time: bool = False) -> Iterator[Row]:
    """The rows of the manifest's SQL; JSON members as they are, xmin as text, and its commit time."""
    inner = sql.SQL(query)
    try:
        columns = _columns(connection, inner)
        parts = [_expression(name) for name in columns]
        if commit_time and "xmin" in columns and "committed_at" not in columns and _keeps_commit_times(connection):
            parts.append(_COMMITTED_AT)
        with connection.cursor(name=section) as cursor:
            cursor.itersize = FETCH
            cursor.execute(sql.SQL("select {} from ({}) as q").format(sql.SQL(", ").join(parts), inner))
            for row in cursor:
                yield {
                    column.name: _raw(column.name, value)
                    for column, value in zip(cursor.description or (), row, strict=True)
                }
    except psycopg.errors.ProgrammingError as e:
        raise TargetError(f"the manifest's [{section}] sql fails: {e.diag.message_primary or e}") from e
    except psycopg.OperationalError as e:
        raise HarnessError(f"cannot read what was kept ({section}): {e}") from e


def _keeps_commit_times(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server does (a given one may not): asking for a time that it has not kept is an error."""
    return connection.execute("show track_commit_timestamp").fetchone() == ("on",)


_COMMITTED_AT = sql.SQL("(extract(epoch from pg_xact_commit_timestamp(q.xmin)) * 1000000)::bigint as committed_at")
_JSON = ("event", "history")


def _columns(connection: psycopg.Connection[Any], inner: sql.Composable) -> list[str]:
    cursor = connection.execute(sql.SQL("select * from ({}) as q limit 0").format(inner))
    return [column.name for column in cursor.description or ()]


def _expression(name: str) -> sql.Composable:
    """Read as text what must not be turned into something else on the way."""
    column = sql.Identifier("q", name)
    if name in ("event_id", "xmin", *_JSON):
        return sql.SQL("{}::text as {}").format(column, sql.Identifier(name))
    if name == "committed_at":
        return sql.SQL("(extract(epoch from {}) * 1000000)::bigint as committed_at").format(column)
    return column


def _raw(name: str, value: Any) -> Any:
    """JSON text as a JSON value, byte for byte; what is no JSON stays a string."""
    if name not in _JSON or not isinstance(value, str):
        return value
    try:
        msgspec.json.decode(value, type=msgspec.Raw)  # its form alone: a number outside a double is JSON too
    except msgspec.DecodeError:
        return value
    return msgspec.Raw(value.encode())
