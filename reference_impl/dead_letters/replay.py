"""Replay: one transaction stores the event and deletes its dead letter, so that you can replay it any number of times.

The second of two replays at once waits, and finds no dead letter. A replay that is killed changes nothing. Until the
commit the id stays dead.
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
from reference_impl.store.queries import fetch_value
from reference_impl.store.writer import Store


class Outcome(StrEnum):
    """The result of a replay."""

    STORED = "stored"  # now or earlier
    REFUSED = "refused"  # again: the dead letter has one more attempt in its history
    ABSENT = "absent"  # neither a dead letter nor a stored event
    HANDLED = "under a handler"  # not replayed: the handler would not see the event


async def replay(store: Store, event_id: UUID) -> Outcome:
    """Store the event of a dead letter. Raises psycopg.Error when the store, not the event, is at fault."""
    with store.bounded():
        letter = await repository.find(store.connection, event_id)
    if letter and letter.cause.startswith(model.UNDER_HANDLER):
        return Outcome.HANDLED
    try:
        if letter and await _store(store, await _row(store, letter), event_id):
            return Outcome.STORED
    except (ValueError, msgspec.MsgspecError):  # not a valid event, and no retry will change that
        return Outcome.REFUSED
    except psycopg.Error as e:
        failure = error_classes.classify(e, store.settings)
        if failure not in OWN_FAULT:
            raise
        with store.bounded():
            attempt = Attempt(model.now(), f"{failure.value}, replayed", e.sqlstate)
            await repository.add_attempt(store.connection, event_id, attempt)
        return Outcome.REFUSED
    with store.bounded():
        stored = await fetch_value(store.connection, "select true from audit_log where event_id = %s", event_id)
    return Outcome.STORED if stored else Outcome.ABSENT


async def _row(store: Store, letter: StoredDeadLetter) -> Row:
    """The row of the event. Raises ValueError when its hash is not that of the dead letter."""
    key, hashed = store.settings.hash_key, digest(letter.event.encode())
    query = "select encode(hash, 'hex') from audit_event_key where event_id = %s"
    with store.bounded():
        if await fetch_value(store.connection, query, letter.event_id) != evidence.seal(hashed, key):
            raise ValueError("the dead letter was changed")
    received_ms = int(letter.first_failed_at.timestamp() * 1000)
    return build(Entry(f"{received_ms}-0", ["event", letter.event, "hash", hashed]), key)


async def _store(store: Store, row: Row, event_id: UUID) -> bool:
    """Returns False when there is no dead letter any more. Raises ValueError when the event has another id."""
    await store.prepare()
    await store.make_partitions([row])
    with store.bounded():
        async with store.connection.transaction():
            if not await repository.take_for_replay(store.connection, event_id):
                return False
            if (await store.insert([row])).stored != 1:
                raise ValueError("the event has another id than its dead letter, and that id is stored or dead")
    return True
