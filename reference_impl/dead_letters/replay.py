"""Replay: one transaction stores the event and deletes its dead letter, so that you can replay it any number of times.

The second of two replays at once waits, and finds no dead letter. A replay that is killed changes nothing. Until the
commit the id stays dead.
"""

from enum import StrEnum
from uuid import UUID

import psycopg

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.isolation import OWN_FAULT
from reference_impl.queue.streams import Entry
from reference_impl.resilience import error_classes
from reference_impl.store.connections import fetch_value
from reference_impl.store.copy_row import NOT_AN_EVENT, build, digest, seal
from reference_impl.store.writer import Store


class Outcome(StrEnum):
    """The result of a replay."""

    STORED = "stored"  # now or earlier
    REFUSED = "refused"  # again: the dead letter has one more attempt in its history
    ABSENT = "absent"  # neither a dead letter nor a stored event
    HANDLED = "under a handler"  # not replayed: the handler would not see the event


async def replay(store: Store, event_id: UUID) -> Outcome:
    """Store the event of a dead letter. Raises psycopg.Error when the store, not the event, is at fault."""
    letter = await repository.find(store.connection, event_id)
    if letter and letter.cause.startswith(repository.UNDER_HANDLER):
        return Outcome.HANDLED
    try:
        if letter and await _store(store, letter):
            return Outcome.STORED
    except NOT_AN_EVENT:  # not a valid event, and no retry will change that
        return Outcome.REFUSED
    except psycopg.Error as e:
        failure = error_classes.classify(e, store.settings)
        if failure not in OWN_FAULT:
            raise
        attempt = repository.Attempt(f"{failure.value}, replayed", e.sqlstate)
        await repository.add_attempt(store.connection, event_id, attempt)
        return Outcome.REFUSED
    stored = await fetch_value(store.connection, "select true from audit_log where event_id = %s", event_id)
    return Outcome.STORED if stored else Outcome.ABSENT


async def _store(store: Store, letter: repository.StoredDeadLetter) -> bool:
    """Store the event, unless its dead letter is gone. Raises ValueError if it is not the event that failed."""
    key, hashed = store.settings.hash_key, digest(letter.event.encode())
    query = "select encode(hash, 'hex') from audit_event_key where event_id = %s"
    if await fetch_value(store.connection, query, letter.event_id) != seal(hashed, key):
        raise ValueError("the dead letter was changed")
    received_ms = int(letter.first_failed_at.timestamp() * 1000)
    row = build(Entry(f"{received_ms}-0", ["event", letter.event, "hash", hashed]), key)
    await store.prepare()
    await store.make_partitions([row])
    async with store.connection.transaction():
        if not await repository.take_for_replay(store.connection, letter.event_id):
            return False
        if (await store.insert([row])).stored != 1:
            raise ValueError("the event has another id than its dead letter, and that id is stored or dead")
    return True
