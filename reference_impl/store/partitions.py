"""Partitions: audit_log has one a month, made ahead, and when a month is first needed.

CREATE … PARTITION OF would queue every insert behind it; a table made by LIKE and then attached does not. To drop one
takes audit_log for itself for a moment: last, and only if it comes at once. What takes long, to look at every row and
to delete their keys, is done before that, while others go on writing to the month; then only what they wrote is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, datetime
from typing import LiteralString

import psycopg
from psycopg import sql

from reference_impl.resilience.watchdog import Connection
from reference_impl.store import evidence

#: Advisory lock under which partitions are made: (class, object).
LOCK = (0x61756469, 1)
#: How many months after this one are made ahead.
AHEAD = 2
#: Longest that a month's end may hold up an insert, in milliseconds; it is for another time then.
DROP_LOCK_MS = 200
#: How often, and how long between, it is looked whether those have ended who were writing when a drop began.
SETTLE_TRIES, SETTLE_S = 20, 0.1
#: Before every id, and the last one.
FIRST, LAST = -(2**63), 2**63 - 1

#: Rows still held: the longest active policy that names a row, or its class, holds it; without one, for ever.
_HELD = """
select exists (
    select from {name} held left join lateral (
        select max(retention_days) as days from audit_retention_policy p
        where is_active and (policy_name = held.retention_policy or p.data_classification = held.data_classification)
    ) longest on true
    where id > %s and id <= %s and (days is null or timestamp + make_interval(days => days) > %s)
)
"""
#: What goes with a row: (table, what ties it to the row).
_DEPENDENT = (
    ("audit_integrity_log", "(audit_log_id, d.timestamp) = (gone.id, gone.timestamp)"),
    ("audit_event_key", "d.event_id = gone.event_id"),
    ("audit_conflict", "d.event_id = gone.event_id"),
)
#: DETACH looks whether the integrity log still refers to the month, while all inserts wait. Both sides are indexed by
#: id, and the ids that are left lie behind the month's: a merge ends early, a hash table of all would be built first.
_MERGE = "set local enable_hashjoin = off; set local enable_nestloop = off"
_SETTLED = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %s"

Month = str  # as a timestamp begins: 2026-11


async def existing(connection: Connection) -> set[Month]:
    """The months that have a partition."""
    found = await connection.execute(
        "select right(relname, 7) from pg_inherits join pg_class on oid = inhrelid"
        " where inhparent = 'audit_log'::regclass"
    )
    return {str(row[0]).replace("_", "-") for row in await found.fetchall()}


async def ensure(connection: Connection, months: Iterable[Month]) -> None:
    """Make the partitions of these months that do not exist yet, in one transaction of their own."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
        for month in sorted(set(months) - await existing(connection)):
            await _make(connection, month)


async def drop(connection: Connection, month: Month, now: datetime) -> bool:
    """Drop a month with its keys, unless a policy still holds a row of it; whether it is gone. All of it or nothing.

    Raises psycopg.errors.LockNotAvailable when somebody is writing just then: nothing is done.
    """
    gone, table, settled = False, sql.Identifier(name(month)), await _settled(connection)
    async with connection.transaction():
        if await _cleared(connection, table, now, FIRST, settled):
            await connection.execute(f"set local lock_timeout = {DROP_LOCK_MS}")
            await connection.execute(sql.SQL("grant delete on {} to current_user").format(table))  # as a lock asks for
            await connection.execute(sql.SQL("lock table {} in share mode").format(table))
            gone = await _cleared(connection, table, now, settled, LAST)
        if not gone:
            raise psycopg.Rollback
        await connection.execute(_MERGE)
        await connection.execute(sql.SQL("alter table audit_log detach partition {}").format(table))
        await connection.execute(sql.SQL("drop table {}").format(table))
    return gone


async def _settled(connection: Connection) -> int:
    """An id up to which every row is committed by now, or never will be. Raises LockNotAvailable.

    Whoever drew an id up to it had claimed keys before, and so was running when the snapshot was taken.
    """
    newest = await _one(connection, "select last_value from audit_position")
    running = await _one(connection, "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    for _ in range(SETTLE_TRIES):
        if await _one(connection, _SETTLED, running):
            return newest
        await asyncio.sleep(SETTLE_S)
    raise psycopg.errors.LockNotAvailable("a transaction that began before does not end")


async def _cleared(connection: Connection, table: sql.Identifier, now: datetime, after: int, to: int) -> bool:
    """Delete what depends on the rows after this id, unless a policy holds one of them; whether none does."""
    held = await connection.execute(sql.SQL(_HELD).format(name=table), [after, to, now])
    if await held.fetchone() != (False,):
        return False
    for dependent, on in _DEPENDENT:
        delete = f"delete from {dependent} d using {{name}} gone where gone.id > %s and gone.id <= %s and {on}"
        gone = await connection.execute(sql.SQL(delete).format(name=table), [after, to])
        if dependent == "audit_integrity_log":
            await connection.execute(evidence.COUNT, [-gone.rowcount])
    await connection.execute(sql.SQL(evidence.SUBTRACT).format(name=table), [after, to])
    return True


async def _one(connection: Connection, query: LiteralString, *values: object) -> int:
    row = await (await connection.execute(query, values)).fetchone()
    return int(row[0]) if row else 0


def ahead(today: date) -> list[Month]:
    """This month, the one before and those made ahead."""
    return [_shift(today, by) for by in range(-1, AHEAD + 1)]


def name(month: Month) -> str:
    """The partition of a month."""
    return f"audit_log_{month.replace('-', '_')}"


async def _make(connection: Connection, month: Month) -> None:
    first = date.fromisoformat(f"{month}-01")
    bounds = {
        "name": sql.Identifier(name(month)),
        "from": sql.Literal(f"{month}-01 00:00:00+00"),
        "to": sql.Literal(f"{_shift(first, 1)}-01 00:00:00+00"),
    }
    await connection.execute(
        sql.SQL("create table {name} (like audit_log including defaults including constraints)").format(**bounds)
    )
    for rights in ("revoke update, delete, truncate on {name} from", "grant update (archived_at) on {name} to"):
        await connection.execute(sql.SQL(f"{rights} current_user").format(**bounds))  # as 003_evidence.sql has it
    await connection.execute(
        sql.SQL("alter table audit_log attach partition {name} for values from ({from}) to ({to})").format(**bounds)
    )


def _shift(day: date, months: int) -> Month:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return f"{years:04d}-{month + 1:02d}"
