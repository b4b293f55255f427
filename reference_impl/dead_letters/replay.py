"""Replay: the event of a dead letter is stored and its letter deleted, in one transaction of the store.

So it is idempotent: of two at once the second waits, and finds the letter gone; whoever is killed in between has done
nothing. Until then the id stays dead, whatever is delivered meanwhile.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec
import psycopg

from reference_impl.dead_letters import model, repository
from reference_impl.dead_letters.isolation import OWN_FAULT
from reference_impl.dead_letters.model import Attempt
from reference_impl.dead_letters.repository import StoredDeadLetter
from reference_impl.queue.streams import Entry
from reference_impl.resilience import error_classes
from reference_impl.store import evidence
from reference_impl.store.copy_row import Row, build, digest
from reference_impl.store.writer import Store

#: The key goes with the letter: it is drawn anew by the insertion, in the same transaction.
_TAKE_FOR_REPLAY = """
with letter as (delete from audit_dead_letter where event_id = %s returning event_id)
delete from audit_event_key key using letter where key.event_id = letter.event_id
"""
_FAILED_AGAIN = """
update audit_dead_letter
set attempts = attempts + 1, last_failed_at = now(), history = history || %s::text::jsonb where event_id = %s
"""


class Outcome(StrEnum):
    """What became of a replay."""

    STORED = "stored"  # now, or before
    REFUSED = "refused"  # again: the letter has one more attempt in its history
    ABSENT = "absent"  # no dead letter, and not stored
    HANDLED = "under a handler"  # not ours to store: its handler would never see it


async def replay(store: Store, event_id: UUID) -> Outcome:
    """Store the event of this letter. Raises psycopg.Error when the store, not the event, is at fault."""
    try:
        with store.bounded():
            letter = await repository.find(store.connection, event_id)
            if letter is not None and letter.cause.startswith(model.UNDER_HANDLER):
                return Outcome.HANDLED
            row = await _row(store, letter) if letter is not None else None
        if row is not None and await _store(store, row, event_id):
            return Outcome.STORED
    except (ValueError, msgspec.MsgspecError):  # no event of ours; nothing will make it one
        return Outcome.REFUSED
    except psycopg.Error as e:
        if error_classes.classify(e, store.settings) not in OWN_FAULT:
            raise
        await _note(store, event_id, e)
        return Outcome.REFUSED
    return await _became(store, event_id)


async def _row(store: Store, letter: StoredDeadLetter) -> Row:
    query = "select encode(hash, 'hex') from audit_event_key where event_id = %s"
    (kept,) = await (await store.connection.execute(query, [letter.event_id])).fetchone() or ("",)
    hashed = digest(letter.event.encode())
    if evidence.seal(hashed, store.settings.hash_key) != kept:
        raise ValueError("the letter was changed since it was buried")
    received_ms = int(letter.first_failed_at.timestamp() * 1000)
    return build(Entry(f"{received_ms}-0", ["event", letter.event, "hash", hashed]), store.settings.hash_key)


async def _store(store: Store, row: Row, event_id: UUID) -> bool:
    """One transaction; whether the letter was still there. Raises ValueError when its event is not its own."""
    await store.prepare()
    await store.make_partitions([row])
    with store.bounded():
        async with store.connection.transaction():
            if (await store.connection.execute(_TAKE_FOR_REPLAY, [event_id])).rowcount == 0:
                return False
            if (await store.insert([row])).stored != 1:
                raise ValueError("the event bears another id than its letter, and that one is stored or dead")
    return True


async def _became(store: Store, event_id: UUID) -> Outcome:
    query = "select exists (select from audit_log where event_id = %s)"
    with store.bounded():
        stored = await (await store.connection.execute(query, [event_id])).fetchone() == (True,)
    return Outcome.STORED if stored else Outcome.ABSENT


async def _note(store: Store, event_id: UUID, error: psycopg.Error) -> None:
    attempt = Attempt(model.now(), f"{error_classes.classify(error, store.settings).value}, replayed", error.sqlstate)
    with store.bounded():
        await store.connection.execute(_FAILED_AGAIN, [msgspec.json.encode([attempt]).decode(), event_id])
