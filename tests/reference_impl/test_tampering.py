"""Tampering: twenty ways to change what is stored behind the reference's back, each found by `verify`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.replay import Outcome, replay
from reference_impl.event import i_json
from reference_impl.operations.integrity import Verified
from reference_impl.settings import Settings
from reference_impl.store.copy_row import Row, build
from reference_impl.store.writer import Store
from tests.reference_impl.conftest import entry, row
from tests.reference_impl.test_retention import policy, retained
from tests.reference_impl.test_store import REFUSE, isolate, put, stored, with_store
from tests.reference_impl.test_verifier import verified
from tests.support.cases import cases

KEY = "a key that lies outside the database"
#: Of rows 1 to 6, by `position`; what is inserted takes everything else from row 3.
WHERE = "where position = (select min(position) + 2 from audit_log)"
FIRST, LAST = "(select min(position) from audit_log)", "(select max(position) from audit_log)"
FIRST_LEFT = "(select min(position) from audit_log where position > 0)"
COLUMNS = (
    "timestamp, ttl, principal_id, organization_id, action, target_resource_type, target_resource_id, status,"
    " outcome_description, hash, event_version, correlation_id, data_classification, retention_policy, details"
)
COPY = f"insert into audit_log (id, position, event_id, {COLUMNS}) select 900, 900"
TAMPERINGS = {
    "a column changed": f"update audit_log set action = 'other' {WHERE}",
    "an organization changed": f"update audit_log set organization_id = 'org-2' {WHERE}",
    "a member of details changed": f"update audit_log set details = '{{\"n\": 2}}' {WHERE}",
    "a column changed, and overridden by details": "update audit_log set action = 'other',"
    f' details = details || \'{{"action": "record.read"}}\' {WHERE}',
    "a column moved into details": "update audit_log set correlation_id = null,"
    f' details = details || \'{{"correlationId": "c"}}\' {WHERE}',
    "a column changed, and the id below 0": f"update audit_log set action = 'other', id = -7 {WHERE}",
    "an event id changed": f"update audit_log set event_id = gen_random_uuid() {WHERE}",
    "a timestamp moved to another month": f"update audit_log set timestamp = timestamp - interval '1 month' {WHERE}",
    "two positions swapped": f"update audit_log set position = {FIRST} + {LAST} - position"
    f" where position in ({FIRST}, {LAST})",
    "two rows swapped": f"update audit_log set position = -1, id = -1 where position = {FIRST};"
    f" update audit_log set position = {FIRST_LEFT} - 1, id = {FIRST_LEFT} - 1 where position = {LAST};"
    f" update audit_log set position = {LAST} + 1, id = {LAST} + 1 where position = -1",
    "a column changed, and the hash with it": f"update audit_log set action = 'other' {WHERE}; {{rehash}}",
    "a column, the hash and the key's changed": f"update audit_log set action = 'other' {WHERE}; {{rehash}};"
    " update audit_event_key key set hash = stored.hash from audit_log stored where stored.event_id = key.event_id",
    "a row deleted": f"delete from audit_log {WHERE}",
    "a row deleted with its key": f"with gone as (delete from audit_log {WHERE} returning event_id)"
    " delete from audit_event_key key using gone where key.event_id = gone.event_id",
    "the last rows deleted with their keys": f"with gone as (delete from audit_log where position > {LAST} - 2"
    " returning event_id) delete from audit_event_key key using gone where key.event_id = gone.event_id",
    "a forged row without a key": f"{COPY}, gen_random_uuid(), {COLUMNS} from audit_log {WHERE}; {{rehash}}",
    "a forged row with a key": f"{COPY}, gen_random_uuid(), {COLUMNS} from audit_log {WHERE}; {{rehash}};"
    " insert into audit_event_key select event_id, hash from audit_log where position = 900",
    "a row doubled": f"{COPY}, event_id, {COLUMNS} from audit_log {WHERE}",
    "a row doubled into another month": f"{COPY}, event_id, {COLUMNS.replace('timestamp', '{MOVED}', 1)}"
    f" from audit_log {WHERE}".replace("{MOVED}", "timestamp - interval '1 month'"),
    "a dead letter changed": "update audit_dead_letter set event = convert_to(replace(convert_from(event, 'UTF8'),"
    " 'poison', 'medicine'), 'UTF8')",
    "a dead letter deleted": "delete from audit_dead_letter",
    "the integrity log emptied": "delete from audit_integrity_log",
    "an entry of the integrity log deleted": "delete from audit_integrity_log where id ="
    " (select max(id) from audit_integrity_log)",
}


def filled(settings: Settings, admin: psycopg.Connection[Any]) -> list[Row]:
    """Six rows, and a dead letter."""
    rows = [row(n, n=1, correlationId="c", timestamp="2026-11-01T00:00:00Z") for n in range(6)]
    put(settings, rows)
    admin.execute(REFUSE.format(code="22023"))
    isolate(settings, [row(7, action="poison")])
    return rows


def tamper(admin: psycopg.Connection[Any], tampering: str) -> None:
    """Do what it says; `{rehash}` gives every row the hash that its event has without a key."""
    for statement in tampering.split("; "):
        if statement.startswith("{rehash}"):
            for event_id, event in stored(admin):
                digest = i_json.sha256(event)
                admin.execute("update audit_log set hash = decode(%s, 'hex') where event_id = %s", [digest, event_id])
        else:
            assert admin.execute(statement).rowcount > 0


#: One of a row, of its place, of its absence, of its copy, and of a dead letter; others are found alike.
EACH_CHANGE = [
    "a column changed",
    "a column, the hash and the key's changed",
    "two rows swapped",
    "a row deleted with its key",
    "a row doubled",
    "a dead letter changed",
]


@pytest.mark.parametrize("tampering", cases(list(TAMPERINGS), each_change=EACH_CHANGE))
def test_a_tampering_is_found(settings: Settings, admin: psycopg.Connection[Any], tampering: str) -> None:
    filled(settings, admin)
    logged = "log" in tampering  # else rows cannot be deleted from under it
    assert not logged or verified(settings) == Verified(verified=6)
    tamper(admin, TAMPERINGS[tampering])
    found = verified(settings)
    assert found != Verified(verified=found.verified)


def test_nothing_is_found_where_nobody_tampered(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    filled(settings, admin)
    assert verified(settings) == verified(settings) == Verified(verified=6)


HEADS = (
    "update audit_head set rows = (select count(*) from audit_log),"
    " sum = (select sum(hashbyteaextended(hash, id)) from audit_log) where lane = -1"
)


@pytest.mark.parametrize(("key", "found"), [("", False), (KEY, True)])
def test_only_a_key_outside_the_database_shows_that_everything_was_made_anew(
    settings: Settings, admin: psycopg.Connection[Any], key: str, found: bool
) -> None:
    keyed = msgspec.structs.replace(settings, hash_key=key)
    put(keyed, [build(entry(n, timestamp="2026-11-01T00:00:00Z"), key) for n in range(4)])
    assert verified(keyed) == Verified(verified=4)
    admin.execute("delete from audit_integrity_log")
    tamper(admin, TAMPERINGS["a column, the hash and the key's changed"] + f"; {HEADS}")
    admin.execute("update audit_head set rows = 0 where lane = -2")
    assert verified(keyed).mismatched == (4 if found else 0)
    assert verified(keyed).sound is not found


def test_heads_hold_after_retention_replay_and_drop(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    keyed = msgspec.structs.replace(settings, hash_key=KEY)
    policy(admin, "short", 30)
    old = [entry(n, timestamp="2020-01-15T00:00:00Z", retentionPolicy="short") for n in range(3)]
    put(keyed, [build(one, KEY) for one in old], [build(entry(9, timestamp="2026-11-01T00:00:00Z"), KEY)])
    dead = [build(entry(n, action="poison", timestamp="2026-11-01T00:00:00Z"), KEY) for n in (10, 11)]
    admin.execute(REFUSE.format(code="22023"))
    for one in dead:
        isolate(keyed, [one])
    assert verified(keyed) == Verified(verified=4)
    admin.execute("drop trigger refuse on audit_log")

    async def serve(store: Store) -> None:
        assert await replay(store, UUID(dead[0].event_id)) is Outcome.STORED
        assert await repository.drop(store.connection, UUID(dead[1].event_id))

    with_store(keyed, serve)
    assert retained(keyed).dropped == ["2020-01"]
    assert verified(keyed) == Verified(verified=2)


def test_a_letter_that_was_changed_is_not_replayed(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    filled(settings, admin)
    admin.execute("drop trigger refuse on audit_log")
    admin.execute(TAMPERINGS["a dead letter changed"])
    event_id = admin.execute("select event_id from audit_dead_letter").fetchone()
    assert event_id
    assert with_store(settings, lambda store: replay(store, event_id[0])) is Outcome.REFUSED


@pytest.mark.parametrize("table", ["audit_log", "audit_log_2026_11"])
def test_who_connects_as_a_worker_does_may_not_change_a_stored_event(
    settings: Settings, admin: psycopg.Connection[Any], table: str
) -> None:
    filled(settings, admin)
    with psycopg.connect(settings.database_url, autocommit=True) as worker:
        for statement in (f"update {table} set action = 'x'", f"delete from {table}", f"truncate {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                worker.execute(statement)
