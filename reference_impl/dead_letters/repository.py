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
from reference_impl.store import queries

#: Most causes in a summary, the commonest first.
CAUSES = 10

_SQL = queries.load(__file__)


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
    return (await connection.execute(_SQL["insert"], msgspec.structs.asdict(letter) | derived)).rowcount > 0


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
    return (await connection.execute(_SQL["take_for_replay"], [event_id])).rowcount > 0


async def add_attempt(connection: Connection, event_id: UUID, attempt: Attempt) -> None:
    """Record one more failed attempt."""
    await connection.execute(_SQL["add_attempt"], [msgspec.json.encode([attempt]).decode(), event_id])


async def drop(connection: Connection, event_id: UUID) -> bool:
    """Delete the dead letter of an event. Returns whether there was one."""
    return await _delete(connection, "event_id = %s", event_id) > 0


async def purge(connection: Connection, before: datetime) -> int:
    """Delete archived dead letters whose last failure is older. Returns how many."""
    return await _delete(connection, "archived_at is not null and last_failed_at < %s", before)


async def _delete(connection: Connection, where: str, value: object) -> int:
    """Delete dead letters and mark their keys as dropped, so that `verify` does not report them as lost."""
    return (await connection.execute(_SQL["delete"].format(where=where), [value])).rowcount


async def summarize(connection: Connection, now: datetime) -> Summary:
    """Count the dead letters."""
    async with connection.cursor(row_factory=class_row(Summary)) as cursor:
        found = await (await cursor.execute(_SQL["summary"], [now, CAUSES])).fetchone()
    assert found is not None  # an aggregate without groups has one row
    return found
