"""Partitions: audit_log has one a month, created ahead, and when a month is first needed.

CREATE … PARTITION OF would queue every insert behind it; a table made by LIKE and then attached does not. Dropping one
needs audit_log exclusively for a moment: last, and only if the lock comes at once. The slow part, reading every row and
deleting its keys, comes before that, while others go on writing to the month; then only their new rows are left. The
command `retention` drops the months that no policy covers any more.
"""

import asyncio
from collections.abc import Iterable
from datetime import date, datetime

import msgspec
import psycopg
from psycopg import sql

from reference_impl.settings import Settings
from reference_impl.store.connections import Connection, connect_without_timeouts, fetch_all, fetch_value, query

#: Advisory lock under which partitions are created: (class, object).
LOCK = (0x61756469, 1)
#: Months after this one that are created ahead.
AHEAD = 2
#: Longest that dropping a month may hold up an insert, in milliseconds; after that it is given up for the time being.
DROP_LOCK_MS = 200
#: Tries, and seconds between them, to find the transactions ended that were running when a drop began.
SETTLE_TRIES, SETTLE_S = 20, 0.1
#: The month is being written to, or verified.
BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.ForeignKeyViolation)
#: Before every id, and the last one.
FIRST, LAST = -(2**63), 2**63 - 1

Month = str  # as a timestamp begins: 2026-11


class Retained(msgspec.Struct):
    """The months before the last one, by result."""

    dropped: list[str] = []
    held: list[str] = []
    busy: list[str] = []  # in use: left to the next run


async def existing(connection: Connection) -> set[Month]:
    """The months that have a partition."""
    return {str(month) for (month,) in await fetch_all(connection, query("partitions"))}


async def ensure(connection: Connection, months: Iterable[Month]) -> None:
    """Create the missing partitions of these months, in one transaction of their own."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
        for month in sorted(set(months) - await existing(connection)):
            first, end = f"{month}-01 00:00:00+00", f"{_shift(date.fromisoformat(f'{month}-01'), 1)}-01 00:00:00+00"
            create = sql.SQL(query("create_partition"))
            await connection.execute(create.format(name=_identifier(month), first=first, end=end))


async def drop(connection: Connection, month: Month, now: datetime) -> bool:
    """Drop a month with its keys, unless a policy holds a row of it; whether it is gone. All of it or nothing.

    Raises psycopg.errors.LockNotAvailable when another session is writing to it: then nothing is done.
    """
    gone, name, settled = False, _identifier(month), await _settled(connection)
    async with connection.transaction():
        if await _clear(connection, name, now, FIRST, settled):
            await connection.execute(sql.SQL(query("lock_partition")).format(name=name, ms=DROP_LOCK_MS))
            gone = await _clear(connection, name, now, settled, LAST)
        if not gone:
            raise psycopg.Rollback
        await connection.execute(sql.SQL(query("drop_partition")).format(name=name))
    return gone


async def _settled(connection: Connection) -> int:
    """An id up to which every row is committed by now, or never will be. Raises LockNotAvailable.

    A transaction claims its keys before it draws ids, so one that drew an id up to it was running at the snapshot.
    """
    newest: int = await fetch_value(connection, "select last_value from audit_position")
    running = await fetch_value(connection, "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    for _ in range(SETTLE_TRIES):
        if await fetch_value(connection, "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint") >= running:
            return newest
        await asyncio.sleep(SETTLE_S)
    raise psycopg.errors.LockNotAvailable("a transaction that began before does not end")


async def _clear(connection: Connection, table: sql.Identifier, now: datetime, after: int, to: int) -> bool:
    """Delete everything that depends on the rows in (after, to]; False if a policy holds one of them."""
    span, held, clear = {"after": after, "to": to, "now": now}, sql.SQL(query("held")), sql.SQL(query("clear"))
    if await (await connection.execute(held.format(name=table), span)).fetchone() != (False,):
        return False
    await connection.execute(clear.format(name=table), span)
    return True


def ahead(today: date) -> list[Month]:
    """This month, the one before and those that are created ahead."""
    return [_shift(today, by) for by in range(-1, AHEAD + 1)]


def _identifier(month: Month) -> sql.Identifier:
    return sql.Identifier(f"audit_log_{month.replace('-', '_')}")


def _shift(day: date, months: int) -> Month:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return f"{years:04d}-{month + 1:02d}"


async def run(settings: Settings) -> None:
    """The command `retention`: run once, and print the result as JSON."""
    async with await connect_without_timeouts(settings) as connection:
        # the store's time: the clock of this process may be wrong
        print(msgspec.json.encode(await retain(connection, await fetch_value(connection, "select now()"))).decode())


async def retain(connection: Connection, now: datetime) -> Retained:
    """Drop the months that policies allow. Last month and later ones stay, empty or not."""
    stay = ahead(now.date())
    await ensure(connection, stay)
    result = Retained()
    for month in sorted(m for m in await existing(connection) if m < stay[0]):
        try:
            (result.dropped if await drop(connection, month, now) else result.held).append(month)
        except BUSY:
            result.busy.append(month)
    return result
