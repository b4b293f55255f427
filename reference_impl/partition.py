"""Partitions: audit_log has one a month, made ahead, and when a month is first needed.

CREATE … PARTITION OF would queue every insert behind it; a table made by LIKE and then attached does not. To drop one
takes audit_log for itself for a moment: last, and only if it comes at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from psycopg import sql

from reference_impl.watchdog import Connection

#: Advisory lock under which partitions are made: (class, object).
LOCK = (0x61756469, 1)
#: How many months after this one are made ahead.
AHEAD = 2
#: Longest that a month's end may hold up an insert, in milliseconds; it is for another time then.
DROP_LOCK_MS = 200

#: Rows still held: the longest active policy that names a row, or its class, holds it; without one, for ever.
_HELD = """
select exists (
    select from {name} held left join lateral (
        select max(retention_days) as days from audit_retention_policy p
        where is_active and (policy_name = held.retention_policy or p.data_classification = held.data_classification)
    ) longest on true
    where days is null or timestamp + make_interval(days => days) > %s
)
"""

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

    Raises psycopg.errors.LockNotAvailable when somebody is writing: nothing is done then.
    """
    here = {"name": sql.Identifier(name(month))}
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = {DROP_LOCK_MS}")
        await connection.execute(sql.SQL("lock table {name} in share mode").format(**here))
        held = await connection.execute(sql.SQL(_HELD).format(**here), [now])
        if await held.fetchone() != (False,):
            return False
        for dependent, on in (
            ("audit_integrity_log", "(audit_log_id, d.timestamp) = (gone.id, gone.timestamp)"),
            ("audit_event_key", "d.event_id = gone.event_id"),
            ("audit_conflict", "d.event_id = gone.event_id"),
        ):
            await connection.execute(
                sql.SQL(f"delete from {dependent} d using {{name}} gone where {on}").format(**here)
            )
        await connection.execute(sql.SQL("alter table audit_log detach partition {name}").format(**here))
        await connection.execute(sql.SQL("drop table {name}").format(**here))
    return True


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
        "from": sql.Literal(f"{month}-01"),
        "to": sql.Literal(f"{_shift(first, 1)}-01"),
    }
    await connection.execute(
        sql.SQL("create table {name} (like audit_log including defaults including constraints)").format(**bounds)
    )
    await connection.execute(
        sql.SQL("alter table audit_log attach partition {name} for values from ({from}) to ({to})").format(**bounds)
    )


def _shift(day: date, months: int) -> Month:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return f"{years:04d}-{month + 1:02d}"
