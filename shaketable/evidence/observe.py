"""Observe: read all stored rows, dead letters and queues directly, without links or the target's own reports."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import closing
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
from shaketable.stack.stack import Service, Stack
from shaketable.target import dead_letters, stored_rows
from shaketable.target.manifest import Manifest
from shaketable.target.readers import redis_entries, reference, stored
from shaketable.target.readers.ndjson import Row
from shaketable.target.readers.queue import QueueReader
from shaketable.target.readers.stored import CHECK_S, IDS_S, SECTION_S
from shaketable.target.source_tables import DeadLetters

#: Bytes of a log line that are examined; only a statement's text is longer.
LOGGED = 64 << 10


def everything(run: RunDir, stack: Stack, manifest: Manifest, backlog: Backlog) -> None:
    """Write stored.jsonl, dead_letters.jsonl, queue.jsonl and received.jsonl. Raises an error for a silent server.

    If the target fails here, for example because it serves its dead letters over HTTP and is dead, the run is judged by
    the rest; a row with `unreadable` stands for the missing ones.
    """
    if manifest.queue is not None:  # first: an event stored in between is seen twice rather than never
        pending, parked = backlog.by_key(), backlog.parked()
        lines = [{"key": key, "length": number} for key, number in pending.items()]
        lines += [{"key": key, "length": number, "parked": True} for key, number in parked.items()]
        rundir.write_lines(run / rundir.QUEUE, lines)
    for file, section, rows in _sections(stack, manifest):
        rows = reference.matched(_readable(rows, section), manifest.event)
        rundir.write_lines(run / file, rows)
    if "postgres" in stack.services:
        _refused(run, stack)
    stack.collect_logs()
    if (log := run.logs / "postgres.log").exists():
        rundir.write_lines(run / rundir.RECEIVED, received(log))


def _refused(run: RunDir, stack: Stack) -> None:
    """Write poison.jsonl if a fault has made the store refuse events."""
    with (
        libpq.connect(stack.admin_url(), options="-c log_duration=off") as connection,
        libpq.time_limit(connection, CHECK_S),
    ):
        if poison := triggers.refused(connection):
            rundir.write_lines(run / rundir.POISON, ({"event_id": id_, "refused": n} for id_, n in poison if n))


def _sections(stack: Stack, manifest: Manifest) -> Iterator[tuple[str, str, Iterator[Row]]]:
    """The files with their section of the manifest and their rows."""
    yield rundir.STORED, "stored", stored.rows(stack, manifest)
    if (dead := manifest.dead_letters) is not None:
        yield rundir.DEAD_LETTERS, "dead_letters", _dead(stack, dead)


def check_sources(stack: Stack, manifest: Manifest) -> None:
    """Check the manifest's SQL before the load. Raises TargetError naming the section."""
    found, dead = manifest.stored, manifest.dead_letters
    queries = [("stored", found.sql)] if found.sql else []
    queries += [("dead_letters", dead.sql)] if dead and dead.sql else []
    if not queries:
        return
    bound_s = CHECK_S * (len(queries) + 1)
    with libpq.connect_read_only(stack.owner_url(), CHECK_S) as connection, libpq.time_limit(connection, bound_s):
        for section, query in queries:
            missing = {"event_id", "event"} - set(_tried(connection, section, query))
            if missing:
                raise TargetError(f"the manifest's [{section}] sql gives no column {' and no '.join(sorted(missing))}")


def check_started(stack: Stack, manifest: Manifest) -> None:
    """Try the other sources once the target is ready. Raises TargetError naming the section."""
    stored.check(stack, manifest)
    for section, table in (("queue", manifest.queue), ("queue.parked", manifest.queue and manifest.queue.parked)):
        if table is not None and not table.redis:
            with closing(QueueReader(stack, manifest, table, section)) as reader:
                reader.check()


def _tried(connection: psycopg.Connection[Any], section: str, query: str) -> list[str]:
    try:
        return stored_rows.columns(connection, sql.SQL(query))
    except psycopg.Error as e:
        raise TargetError(f"the manifest's [{section}] sql fails: {e.diag.message_primary or e}") from e


def persisted_ids(stack: Stack, manifest: Manifest, within_s: float = IDS_S) -> set[str]:
    """The readable ids of all stored and dead-lettered events. Raises psycopg.OperationalError for a silent server.

    `within_s` applies to Postgres only.
    """
    if manifest.event is not None and manifest.event.reference is not None:
        rows = (row for _, section, rows in _sections(stack, manifest) for row in _readable(rows, section))
        return dead_letters.ids_of(reference.matched(rows, manifest.event))
    dead = manifest.dead_letters
    found = stored.ids(stack, manifest, within_s)
    if dead is not None and (dead.url or dead.redis):
        return found | dead_letters.ids_of(_dead(stack, dead))
    if dead is not None and dead.sql:
        with stored.reading(stack, within_s, autocommit=True) as connection:
            return found | stored.sql_ids(connection, dead.sql)
    return found


def _readable(rows: Iterator[Row], section: str) -> Iterator[Row]:
    return stored_rows.readable(stored.bounded(rows, section))


def _dead(stack: Stack, dead: DeadLetters) -> Iterator[Row]:
    if dead.redis is not None:
        yield from redis_entries.rows(stack.redis_url(), dead.redis)
    elif dead.url:
        yield from dead_letters.rows(dead.url)
    else:
        with stored.reading(stack, SECTION_S) as connection:
            yield from stored_rows.rows(connection, dead.sql or "", "dead_letters")


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


def restarts(run: RunDir, stack: Stack, disks: Collection[Service] = ()) -> list[str]:
    """A sentence for each killed or crashed process of Postgres, after which Postgres restarted all others.

    A process that panicked while its disk was full or failing does not count. A panic ends it by SIGABRT.
    """
    log = run.logs / "postgres.log"
    if not log.exists():
        return []
    hindered = stack.disk("postgres").was_hindered if "postgres" in disks else lambda _: False
    with foreign.opened(log, foreign.LINES) as lines:
        ends = [match.groups() for line in lines if (match := _CRASHED.search(line))]
    found = [what.decode(errors="replace") for at, what, abort in ends if not (at and abort and hindered(float(at)))]
    return [f"postgres restarted by itself: {what} (see logs/postgres.log)" for what in found[:MOST_RESTARTS]]


#: The most restarts that are reported.
MOST_RESTARTS = 3
_CRASHED = re.compile(rb"(?:(\d+\.\d+)\|\d+\|[^|]*\|)?LOG:  (.+? \(PID \d+\) was terminated by signal (?:(6\b)|\d+))")
_RECEIVED = re.compile(
    r"(\d+\.\d+)\|\d+\|([^|]*)\|LOG:  (duration|connection authorized|disconnection):"
    r"(?: (\d+\.\d+) ms)?(?:.*application_name=(\S+))?"
)
_WHAT = {"duration": "statement", "connection authorized": "connect", "disconnection": "disconnect"}
