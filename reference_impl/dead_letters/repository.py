"""The table of dead letters: insert, find, list, count and delete.

The id of a deleted dead letter stays dead: an event that is sent again with the same id is not stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import class_row, dict_row

from reference_impl.dead_letters.model import Attempt, DeadLetter
from reference_impl.resilience.watchdog import Connection

#: Most causes in a summary, the commonest first.
CAUSES = 10

_INSERT = """
with new as (
    insert into audit_event_key (event_id, hash, dead) values (%(key)s, decode(%(hash)s, 'hex'), true)
    on conflict do nothing returning event_id
)
insert into audit_dead_letter
    (event_id, event, cause, error_class, stack, attempts, first_failed_at, last_failed_at, history)
select event_id, %(event)s, %(cause)s, %(error_class)s, %(stack)s, %(attempts)s, %(first)s, %(last)s,
    %(history)s::text::jsonb from new on conflict do nothing
"""
_SUMMARY = """
select count(*) as total, count(*) filter (where last_failed_at >= date_trunc('day', %s::timestamptz, 'UTC')) as today,
    min(first_failed_at) as oldest, max(last_failed_at) as newest, (
        select coalesce(json_object_agg(cause, number), '{}') from (
            select cause, count(*) as number from audit_dead_letter group by 1 order by 2 desc, 1 limit %s
        ) as commonest
    ) as reasons
from audit_dead_letter
"""
#: The key goes, too: storing the event inserts it anew in the same transaction.
_TAKE = """
with letter as (delete from audit_dead_letter where event_id = %s returning event_id)
delete from audit_event_key key using letter where key.event_id = letter.event_id
"""
_ADD_ATTEMPT = """
update audit_dead_letter
set attempts = attempts + 1, last_failed_at = now(), history = history || %s::text::jsonb where event_id = %s
"""


class StoredDeadLetter(msgspec.Struct, frozen=True, rename="camel"):
    """A dead letter, in full. Times are UTC."""

    id: int  # in insertion order
    event_id: UUID
    cause: str
    error_class: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime
    archived_at: datetime | None
    stack: str
    history: list[dict[str, Any]]  # [{at, failure, sqlstate}], oldest first
    event: str  # as it was queued


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    """How many dead letters there are, and why."""

    total: int
    today: int  # since midnight UTC
    oldest: datetime | None  # first failure
    newest: datetime | None  # last failure
    reasons: dict[str, int]


async def insert(connection: Connection, letter: DeadLetter) -> bool:
    """Insert within the caller's transaction. Returns False, and changes nothing, for an id that is stored or dead."""
    derived = {
        "key": letter.key,
        "attempts": len(letter.history),
        "first": letter.history[0].at,
        "last": letter.history[-1].at,
        "history": msgspec.json.encode(letter.history).decode(),
    }
    return (await connection.execute(_INSERT, msgspec.structs.asdict(letter) | derived)).rowcount > 0


async def page(connection: Connection, after: int, limit: int) -> list[StoredDeadLetter]:
    """Up to `limit` dead letters after this `id`, in insertion order."""
    return await select(connection, "where id > %s order by id limit %s", [after, limit])


async def find(connection: Connection, event_id: UUID) -> StoredDeadLetter | None:
    """The dead letter of an event."""
    return next(iter(await select(connection, "where event_id = %s", [event_id])), None)


async def select(connection: Connection, where: str, values: Sequence[object]) -> list[StoredDeadLetter]:
    """The dead letters that match a condition."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(f"select * from audit_dead_letter {where}", values)).fetchall()
    return [StoredDeadLetter(**{**row, "event": bytes(row["event"]).decode("utf-8", "replace")}) for row in rows]


async def take_for_replay(connection: Connection, event_id: UUID) -> bool:
    """Delete a dead letter and its key within the caller's transaction. Returns whether there was one."""
    return (await connection.execute(_TAKE, [event_id])).rowcount > 0


async def add_attempt(connection: Connection, event_id: UUID, attempt: Attempt) -> None:
    """Record one more failed attempt."""
    await connection.execute(_ADD_ATTEMPT, [msgspec.json.encode([attempt]).decode(), event_id])


async def drop(connection: Connection, event_id: UUID) -> bool:
    """Delete the dead letter of an event. Returns whether there was one."""
    return await _delete(connection, "event_id = %s", event_id) > 0


async def purge(connection: Connection, before: datetime) -> int:
    """Delete archived dead letters whose last failure is older. Returns how many."""
    return await _delete(connection, "archived_at is not null and last_failed_at < %s", before)


async def _delete(connection: Connection, where: str, value: object) -> int:
    """Delete dead letters and mark their keys as dropped, so that `verify` does not report them as lost."""
    gone = await connection.execute(
        f"with gone as (delete from audit_dead_letter where {where} returning event_id)"
        " update audit_event_key key set dropped = true from gone where key.event_id = gone.event_id",
        [value],
    )
    return gone.rowcount


async def summarize(connection: Connection, now: datetime) -> Summary:
    """Count the dead letters."""
    async with connection.cursor(row_factory=class_row(Summary)) as cursor:
        found = await (await cursor.execute(_SUMMARY, [now, CAUSES])).fetchone()
    assert found is not None  # an aggregate without groups has one row
    return found
