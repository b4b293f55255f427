"""The dead letters as they lie in the store: one, a page, how many and why; and away with one.

The id of a letter that is dropped stays dead: whoever sends it again gets no second event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from reference_impl.resilience.watchdog import Connection

#: Most reasons that are told, the commonest first.
REASONS = 10

_LETTER = "select * from audit_dead_letter"
_COUNT = """
select count(*) as total, count(*) filter (where last_failed_at >= date_trunc('day', %s::timestamptz, 'UTC')) as today,
    min(first_failed_at) as oldest, max(last_failed_at) as newest
from audit_dead_letter
"""
_REASONS = "select cause, count(*) from audit_dead_letter group by cause order by count(*) desc, cause limit %s"


class Letter(msgspec.Struct, frozen=True, rename="camel"):
    """A dead letter, in full. Times are UTC."""

    id: int  # in the order of their deaths
    event_id: UUID
    cause: str
    error_class: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime
    archived_at: datetime | None
    stack: str
    history: list[dict[str, Any]]  # [{at, failure, sqlstate}], oldest first
    event: str  # as it lay in the queue


class Count(msgspec.Struct, frozen=True, rename="camel"):
    """How many there are."""

    total: int
    today: int  # since midnight UTC
    oldest: datetime | None  # first failure
    newest: datetime | None  # last failure
    reasons: dict[str, int]


async def page(connection: Connection, after: int, limit: int) -> list[Letter]:
    """So many letters after this one, in the order of their deaths."""
    return await select(connection, "where id > %s order by id limit %s", [after, limit])


async def find(connection: Connection, event_id: UUID) -> Letter | None:
    """The letter of an event."""
    return next(iter(await select(connection, "where event_id = %s", [event_id])), None)


async def select(connection: Connection, where: str, values: Sequence[object]) -> list[Letter]:
    """The letters of a condition."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(f"{_LETTER} {where}", values)).fetchall()
    return [Letter(**{**row, "event": bytes(row["event"]).decode("utf-8", "replace")}) for row in rows]


async def drop(connection: Connection, event_id: UUID) -> bool:
    """Delete a letter; whether there was one."""
    return await _delete(connection, "event_id = %s", event_id) > 0


async def retire(connection: Connection, before: datetime) -> int:
    """Delete the archived letters that failed last before then; how many. One that no archive has stays."""
    return await _delete(connection, "archived_at is not null and last_failed_at < %s", before)


async def _delete(connection: Connection, where: str, value: object) -> int:
    """Delete letters, and tell the verifier by their keys that somebody meant to."""
    gone = await connection.execute(
        f"with gone as (delete from audit_dead_letter where {where} returning event_id)"
        " update audit_event_key key set dropped = true from gone where key.event_id = gone.event_id",
        [value],
    )
    return gone.rowcount


async def count(connection: Connection, now: datetime) -> Count:
    """How many there are, since when, and why."""
    reasons = await (await connection.execute(_REASONS, [REASONS])).fetchall()
    async with connection.cursor(row_factory=dict_row) as cursor:
        told = await (await cursor.execute(_COUNT, [now])).fetchone()
    return Count(**(told or {}), reasons=dict(reasons))
