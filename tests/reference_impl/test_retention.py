"""Retention: a month goes when no policy holds a row of it, with its keys, and never at the cost of an insert."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import pytest

from reference_impl.operations.integrity import verify
from reference_impl.settings import Settings
from reference_impl.store import connections, partitions
from reference_impl.store.partitions import Retained
from tests.reference_impl.conftest import row, store_of, until
from tests.reference_impl.test_store import put, stored

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def retained(settings: Settings, now: datetime = NOW) -> Retained:
    async def run() -> Retained:
        connection = await connections.connect_without_timeouts(settings)
        try:
            return await partitions.retain(connection, now)
        finally:
            await connections.close(connection)

    return asyncio.run(run())


def policy(admin: psycopg.Connection[Any], name: str, days: int, classification: str | None = None) -> None:
    admin.execute(
        "insert into audit_retention_policy (policy_name, retention_days, data_classification) values (%s, %s, %s)",
        [name, days, classification],
    )


def months(admin: psycopg.Connection[Any]) -> set[str]:
    found = admin.execute(
        "select right(inhrelid::regclass::text, 7) from pg_inherits where inhparent = 'audit_log'::regclass"
    )
    return {name for (name,) in found}


def test_a_month_goes_with_its_keys_and_its_integrity_log_once_no_policy_holds_it(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    policy(admin, "short", 30)
    gone = [row(n, timestamp="2020-01-15T00:00:00Z", retentionPolicy="short") for n in range(3)]
    kept = row(timestamp="2026-11-01T00:00:00Z", retentionPolicy="short")
    put(
        settings,
        gone,
        [kept],
        [row(eventId=gone[0].event_id, action="other"), row(eventId=kept.event_id, action="other")],
    )
    assert admin.execute("select count(*) from audit_conflict").fetchone() == (2,)
    admin.execute(
        "insert into audit_integrity_log"
        " (audit_log_id, timestamp, verification_status, verified_by, verification_method)"
        " select id, timestamp, 'verified', 'test', 'test' from audit_log"
    )
    assert retained(settings) == Retained(dropped=["2020-01"])
    assert [event_id for event_id, _ in stored(admin)] == [kept.event_id]
    assert [str(i) for (i,) in admin.execute("select event_id from audit_event_key")] == [kept.event_id]
    for table in ("audit_integrity_log", "audit_conflict"):  # no content outlives its month
        assert admin.execute(f"select count(*) from {table}").fetchone() == (1,)
    assert retained(settings) == Retained()
    assert put(settings, gone)[0].stored == 3  # the month is made anew, and its ids are free again


def test_a_month_with_one_row_under_a_longer_policy_is_held_whole(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    policy(admin, "short", 30)
    policy(admin, "long", 4000)
    policy(admin, "health", 5000, "PHI")
    by_name = row(timestamp="2020-01-15T00:00:00Z", retentionPolicy="long")
    by_class = row(timestamp="2020-02-15T00:00:00Z", retentionPolicy="short", dataClassification="PHI")
    without = row(timestamp="2020-03-15T00:00:00Z")
    short = [row(timestamp=f"2020-0{m}-16T00:00:00Z", retentionPolicy="short") for m in (1, 2, 3, 4)]
    put(settings, [by_name, by_class, without, *short])
    assert retained(settings) == Retained(held=["2020-01", "2020-02", "2020-03"], dropped=["2020-04"])
    admin.execute("update audit_retention_policy set is_active = false where policy_name = 'short'")
    put(settings, [short[3]])
    assert retained(settings).dropped == []  # a policy out of force lets nothing go


def test_a_row_is_held_to_the_day(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    policy(admin, "short", 30)
    put(settings, [row(timestamp="2026-01-31T12:00:00Z", retentionPolicy="short")])
    assert retained(settings, datetime(2026, 2, 28, tzinfo=UTC)) == Retained()  # the month before: no candidate yet
    assert retained(settings, datetime(2026, 3, 2, 11, 59, tzinfo=UTC)).held == ["2026-01"]
    assert retained(settings, datetime(2026, 3, 2, 12, 1, tzinfo=UTC)).dropped == ["2026-01"]


@pytest.mark.slow
def test_a_drop_never_waits_behind_a_writer_nor_lets_others_wait(
    settings: Settings, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "SETTLE_S", 0.02)
    policy(admin, "short", 30)
    put(settings, [row(timestamp="2020-01-15T00:00:00Z", retentionPolicy="short")])
    insert = (
        "insert into audit_log (id, position, event_id, timestamp, action, status, hash)"
        " values (1, 1, gen_random_uuid(), '2026-11-20', 'a', 'success', '')"
    )
    with psycopg.connect(settings.database_url) as open_insert, open_insert.transaction():
        open_insert.execute(insert)
        admin.execute("set lock_timeout = '1s'")

        async def beside() -> tuple[Retained, int]:
            run = asyncio.create_task(asyncio.to_thread(retained, settings))
            inserted = 0
            while not run.done():
                await asyncio.to_thread(admin.execute, insert.replace("(1,", f"({inserted + 2},"))
                inserted += 1
            return await run, inserted

        told, inserted = asyncio.run(beside())
    assert told == Retained(busy=["2020-01"])
    assert inserted > 1
    assert retained(settings) == Retained(dropped=["2020-01"])


@pytest.mark.slow
@pytest.mark.parametrize("then", ["short", "long"])
def test_a_month_that_is_being_dropped_can_be_written_to_all_the_while(
    settings: Settings, admin: psycopg.Connection[Any], then: str
) -> None:
    """What is written meanwhile goes too, with its keys; or holds the month, with all of them."""
    policy(admin, "short", 30)
    policy(admin, "long", 4000)
    names = ["short", "short", then]
    before, *meanwhile = [row(n, timestamp="2020-01-15T00:00:00Z", retentionPolicy=names[n]) for n in range(3)]
    put(settings, [before])

    async def run() -> Retained:
        async def waits() -> Any:
            return admin.execute("select from pg_locks where not granted").fetchone() is not None

        store = await store_of(settings)
        with psycopg.connect(settings.database_url) as holder:
            holder.execute("lock table audit_conflict in share mode")
            dropping = asyncio.create_task(asyncio.to_thread(retained, settings))
            await until(waits)
            for one in meanwhile:
                assert (await store.store([one])).stored == 1
        await connections.close(store.connection)
        return await dropping

    gone = then == "short"
    assert asyncio.run(run()) == (Retained(dropped=["2020-01"]) if gone else Retained(held=["2020-01"]))
    left = set() if gone else {one.event_id for one in (before, *meanwhile)}
    assert {event_id for event_id, _ in stored(admin)} == left
    assert {str(i) for (i,) in admin.execute("select event_id from audit_event_key")} == left


def test_a_month_that_is_verified_meanwhile_is_dropped_all_the_same(
    settings: Settings, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(admin, "short", 30)
    put(settings, [row(n, timestamp="2020-01-15T00:00:00Z", retentionPolicy="short") for n in range(50)])

    async def run() -> Retained:
        dropping = asyncio.create_task(asyncio.to_thread(retained, settings))
        connection = await connections.connect_without_timeouts(settings)
        while not dropping.done():
            await verify(connection, "test", batch=10)
        await connections.close(connection)
        return await dropping

    told = asyncio.run(run())
    assert told in (Retained(dropped=["2020-01"]), Retained(busy=["2020-01"]))
    assert told.dropped or retained(settings).dropped == ["2020-01"]
    assert stored(admin) == []


def test_an_insert_that_meets_a_dropped_month_makes_it_anew(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    """A worker that believes in the month finds it gone: a collision, tried again."""
    policy(admin, "short", 30)
    old = [row(n, timestamp="2020-01-15T00:00:00Z", retentionPolicy="short") for n in range(2)]

    async def run() -> None:
        store = await store_of(settings)
        await store.store(old[:1])
        assert (await asyncio.to_thread(retained, settings)).dropped == ["2020-01"]
        try:
            await store.store(old[1:])
        except psycopg.errors.CheckViolation:
            store.months.clear()
        await store.store(old[1:])
        await connections.close(store.connection)

    asyncio.run(run())
    assert [event_id for event_id, _ in stored(admin)] == [old[1].event_id]


@pytest.mark.slow
def test_the_command_tells_what_it_did(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    policy(admin, "short", 30)
    put(settings, [row(timestamp="2020-01-15T00:00:00Z", retentionPolicy="short")])
    done = subprocess.run(
        [sys.executable, "-m", "reference_impl", "retention"],
        env={"DATABASE_URL": settings.database_url},
        capture_output=True,
        check=True,
    )
    assert msgspec.json.decode(done.stdout, type=Retained) == Retained(dropped=["2020-01"])
    assert {month.replace("-", "_") for month in partitions.ahead(datetime.now(UTC).date())} <= months(admin)
