"""Dead letters, with everything needed to see why, and their table: insert, find, list, count and delete.

The id of a deleted dead letter stays dead: an event that is sent again with the same id is not stored.
"""

import traceback
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from reference_impl.store.connections import Connection, fetch_all, load

#: Prefix of the cause of an event that a handler refused, rather than the store.
UNDER_HANDLER = "under a handler, "

_SQL = load(__file__)
#: Their number, in total and today; first and last failure, UTC seconds, 0: none; {cause: number}.
SUMMARY = _SQL["summary"]


class Attempt(msgspec.Struct, frozen=True):
    """One failed attempt to store an event. Times are UTC."""

    failure: str
    sqlstate: str | None
    at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))


class DeadLetter(msgspec.Struct, frozen=True):
    """An event on its way to the dead letters."""

    event_id: str
    event: bytes
    hash: str
    cause: str
    history: list[Attempt]  # oldest first
    error: BaseException  # of the last attempt

    @property
    def key(self) -> uuid.UUID:
        """The event's id. An event without a valid id gets one derived from its bytes, so that it is stored once."""
        try:
            return uuid.UUID(self.event_id)
        except ValueError:
            return uuid.uuid5(uuid.NAMESPACE_OID, self.event.decode("utf-8", "replace"))


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


_COLUMNS = ", ".join(StoredDeadLetter.__struct_fields__)


async def insert(connection: Connection, letter: DeadLetter) -> bool:
    """Insert within the caller's transaction. Returns False, and changes nothing, for an id that is stored or dead."""
    frames, kind = traceback.extract_tb(letter.error.__traceback__), type(letter.error)
    derived = {
        "key": letter.key,
        "error_class": f"{kind.__module__}.{kind.__qualname__}",
        # without the error's message, which may quote the event
        "stack": "\n".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames),
        "attempts": len(letter.history),
        "first": letter.history[0].at,
        "last": letter.history[-1].at,
        "history": msgspec.json.encode(letter.history).decode(),
    }
    return (await connection.execute(_SQL["insert"], msgspec.structs.asdict(letter) | derived)).rowcount > 0


async def page(connection: Connection, after: int, limit: int) -> list[StoredDeadLetter]:
    """Up to `limit` dead letters after this `id`, in insertion order."""
    return await select(connection, "where id > %s order by id limit %s", after, limit)


async def find(connection: Connection, event_id: UUID) -> StoredDeadLetter | None:
    """The dead letter of an event."""
    return next(iter(await select(connection, "where event_id = %s", event_id)), None)


async def select(connection: Connection, where: str, *values: object) -> list[StoredDeadLetter]:
    """The dead letters that match a condition."""
    rows = await fetch_all(connection, f"select {_COLUMNS} from audit_dead_letter {where}", *values)
    return [StoredDeadLetter(*[*row, bytes(event).decode("utf-8", "replace")]) for *row, event in rows]


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
    """Delete archived dead letters whose last failure is older, a part in each transaction. Returns how many."""
    total = 0
    while gone := await _delete(connection, "archived_at is not null and last_failed_at < %s", before):
        total += gone
    return total


async def _delete(connection: Connection, where: str, value: object) -> int:
    """Delete at most a thousand dead letters, and mark their keys as dropped, so that `verify` does not miss them."""
    return (await connection.execute(_SQL["delete"].format(where=where), [value])).rowcount
