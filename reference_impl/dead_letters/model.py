"""A dead letter: an event that the store will not take, with everything needed to see why."""

from __future__ import annotations

import traceback
import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reference_impl.resilience.watchdog import Connection

_INSERT = """
with new as (
    insert into audit_event_key (event_id, hash, dead) values (%(event_id)s, decode(%(hash)s, 'hex'), true)
    on conflict do nothing returning 1
)
insert into audit_dead_letter
    (event_id, event, cause, error_class, stack, attempts, first_failed_at, last_failed_at, history)
select %(event_id)s, %(event)s, %(cause)s, %(error_class)s, %(stack)s, %(attempts)s, %(first)s, %(last)s,
    %(history)s::text::jsonb from new
on conflict do nothing
"""


#: Begins the cause of a letter that was buried under a handler of one's own.
UNDER_HANDLER = "under a handler, "


class Attempt(msgspec.Struct, frozen=True):
    """One failed attempt to store an event. Times are UTC."""

    at: datetime
    failure: str
    sqlstate: str | None


class DeadLetter(msgspec.Struct, frozen=True):
    """An event on its way to the dead letters."""

    event_id: str
    event: bytes
    hash: str
    cause: str
    history: list[Attempt]
    error_class: str = ""
    stack: str = ""


async def bury(connection: Connection, letter: DeadLetter) -> bool:
    """Write it down within the caller's transaction; False for an id that is stored or dead: it stays what it is."""
    buried = await connection.execute(
        _INSERT,
        {
            "event_id": _uuid(letter),
            "event": letter.event,
            "hash": letter.hash,
            "cause": letter.cause,
            "error_class": letter.error_class,
            "stack": letter.stack,
            "attempts": len(letter.history),
            "first": letter.history[0].at,
            "last": letter.history[-1].at,
            "history": msgspec.json.encode(letter.history).decode(),
        },
    )
    return buried.rowcount > 0


def now() -> datetime:
    """The time of an attempt."""
    return datetime.now(UTC)


def where(error: BaseException) -> tuple[str, str]:
    """Its class, and where it was raised: files, lines, functions. Never its words: they may quote the event."""
    frames = traceback.extract_tb(error.__traceback__)
    stack = "\n".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__module__}.{type(error).__qualname__}", stack


def _uuid(letter: DeadLetter) -> uuid.UUID:
    """The event's id; what has none gets one made of its bytes, so that it dies once only."""
    try:
        return uuid.UUID(letter.event_id)
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_OID, letter.event.decode("utf-8", "replace"))
