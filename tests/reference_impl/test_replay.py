"""Replay stores no event in place of another's, and none that is a handler's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import psycopg

from reference_impl.dead_letters.isolation import OWN_FAULT, Isolation
from reference_impl.dead_letters.replay import Outcome, replay
from reference_impl.dead_letters.repository import DeadLetter
from reference_impl.delivery.consumer import to_batch
from reference_impl.errors import RefusedError
from reference_impl.operations.integrity import Verified
from reference_impl.queue.streams import Entry
from reference_impl.settings import Settings
from reference_impl.store.writer import Store
from tests.reference_impl.conftest import entry, row
from tests.reference_impl.test_dead_letters import letter_of
from tests.reference_impl.test_store import REFUSE, batch, isolate, put, stored, with_store
from tests.reference_impl.test_verifier import verified


def test_a_letter_whose_event_bears_the_id_of_a_stored_one_stays(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    other = row()
    put(settings, [other])
    admin.execute(REFUSE.format(code="22023"))
    poison = batch("poison")
    isolate(settings, poison)
    admin.execute("drop trigger refuse on audit_log")
    admin.execute("update audit_dead_letter set event = %s", [other.event])
    assert with_store(settings, lambda store: replay(store, uuid.UUID(poison[0].event_id))) is Outcome.REFUSED
    assert letter_of(settings, poison[0].event_id) is not None


def test_an_entry_nested_too_deep_to_be_decoded_is_a_letter_that_no_replay_stores(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    name, event, *rest = entry(details={"a": "HERE"}).fields[2:]
    deep = Entry("1-0", ["event_id", "none", name, event.replace('"HERE"', "[" * 2000 + "]" * 2000), *rest])
    letter = to_batch([deep])
    assert isinstance(letter, DeadLetter)
    with_store(settings, lambda store: store.insert_dead_letter(letter))
    assert verified(settings) == Verified()
    assert with_store(settings, lambda store: replay(store, letter.key)) is Outcome.REFUSED
    assert stored(admin) == []


def test_a_letter_buried_under_a_handler_is_not_stored_in_its_place(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def refuse(_: Sequence[dict[str, Any]]) -> None:
        raise RefusedError("action", "no")

    async def bury(plain: Store) -> None:
        await Isolation(Store(plain.connection, settings, refuse), poison, OWN_FAULT, []).run()

    poison = batch("fine")
    with_store(settings, bury)
    assert with_store(settings, lambda store: replay(store, uuid.UUID(poison[0].event_id))) is Outcome.HANDLED
    letter = letter_of(settings, poison[0].event_id)
    assert letter is not None
    assert letter.cause.startswith("under a handler, data: ")
    assert stored(admin) == []
