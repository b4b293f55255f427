"""Migrations are idempotent, safe two at once, and need no superuser; months are made when needed."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from reference_impl.settings import Settings
from reference_impl.store import connections, partitions
from reference_impl.store.migrate import FOLDER, migrate
from tests.conftest import Servers


def test_two_migrations_at_once_and_one_more_do_it_once(servers: Servers) -> None:
    settings = Settings(database_url=servers.postgres_url)

    async def run() -> None:
        await asyncio.gather(migrate(settings), migrate(settings))
        await migrate(settings)

    asyncio.run(run())
    with psycopg.connect(servers.postgres_url) as connection:
        applied = connection.execute("select name from audit_migration order by name").fetchall()
        assert [name for (name,) in applied] == sorted(file.name for file in FOLDER.glob("*.sql"))
        owner = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
        assert owner == (False,)


@pytest.mark.slow
def test_audit_log_has_every_column_of_the_design(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    found = admin.execute("select attname from pg_attribute where attrelid = 'audit_log'::regclass and attnum > 0")
    assert {name for (name,) in found} == {
        "id",
        "timestamp",
        "ttl",
        "principal_id",
        "organization_id",
        "action",
        "target_resource_type",
        "target_resource_id",
        "status",
        "outcome_description",
        "hash",
        "hash_algorithm",
        "event_version",
        "correlation_id",
        "data_classification",
        "retention_policy",
        "processing_latency",
        "archived_at",
        "details",
        "event_id",
        "position",
    }


def test_the_other_tables_have_the_columns_of_the_design(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    wanted = {
        "audit_preset": "name description organization_id action data_classification required_fields default_values"
        " validation created_at created_by updated_at updated_by",
        "audit_integrity_log": "id audit_log_id timestamp verification_timestamp verification_status verified_by"
        " verification_method verification_details created_at",
        "audit_retention_policy": "policy_name data_classification retention_days is_active created_at updated_at",
    }
    for table, columns in wanted.items():
        found = admin.execute(f"select attname from pg_attribute where attrelid = '{table}'::regclass and attnum > 0")
        assert {name for (name,) in found} == set(columns.split()), table
    found = admin.execute(
        "select pg_get_constraintdef(oid) from pg_constraint where conname like 'audit_integrity%fkey'"
    )
    assert 'FOREIGN KEY (audit_log_id, "timestamp") REFERENCES audit_log(id, "timestamp")' in str(found.fetchall())


QUERIES = {
    "organization_id = 'o' and timestamp > now() - interval '1 h'": "organization_id_timestamp",
    "principal_id = 'p' and timestamp > now() - interval '1 h'": "principal_id_timestamp",
    "action = 'a' and timestamp > now() - interval '1 h'": "action_timestamp",
    "data_classification = 'PHI' and timestamp > now() - interval '1 h'": "data_classification_timestamp",
    "correlation_id = 'c'": "correlation_id",
    "target_resource_type = 't' and target_resource_id = 'i'": "target_resource_type",
    "event_id = '0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77'": "event_id",
}


def test_audit_queries_go_by_an_index(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute("set enable_seqscan = off")  # an empty table would be read whole
    for where, index in QUERIES.items():
        plan = str(admin.execute(f"explain (costs off) select * from audit_log where {where}").fetchall())
        assert "Seq Scan" not in plan
        assert index in plan


def test_two_sessions_that_need_the_same_month_both_get_it(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    async def run() -> None:
        sessions = [await connections.connect(settings) for _ in range(3)]
        await asyncio.gather(*(partitions.ensure(session, {"2004-12", "2005-01"}) for session in sessions))
        for session in sessions:
            await connections.close(session)

    asyncio.run(run())
    found = admin.execute("select count(*) from pg_inherits where inhrelid::regclass::text ~ '2004_12$|2005_01$'")
    assert found.fetchone() == (2,)


def test_a_month_has_the_same_bounds_whatever_the_sessions_zone(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        session = await connections.connect(settings)
        await session.execute("set timezone = 'Pacific/Auckland'")
        await partitions.ensure(session, {"2003-03"})
        await connections.close(session)

    asyncio.run(run())
    admin.execute("set timezone = 'UTC'")
    found = admin.execute("select pg_get_expr(relpartbound, oid) from pg_class where relname = 'audit_log_2003_03'")
    assert found.fetchone() == ("FOR VALUES FROM ('2003-03-01 00:00:00+00') TO ('2003-04-01 00:00:00+00')",)


INSERT = (
    "insert into audit_log (id, position, event_id, timestamp, action, status, hash)"
    " values (1, 1, gen_random_uuid(), now(), 'a', 'success', '')"
)


def test_a_new_month_does_not_wait_for_open_inserts(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    async def run() -> None:
        session = await connections.connect(settings)
        await partitions.ensure(session, {"2003-03"})
        await connections.close(session)

    with psycopg.connect(settings.database_url) as open_insert, open_insert.transaction():
        open_insert.execute(INSERT)
        asyncio.run(run())
        admin.execute("set lock_timeout = '1s'")
        admin.execute(INSERT)


def test_a_new_month_that_is_not_committed_yet_holds_up_no_insert(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        session, other = [await connections.connect(settings) for _ in range(2)]
        async with session.transaction():
            await partitions.ensure(session, {"2003-03"})  # within a transaction that stays open
            admin.execute("set lock_timeout = '1s'")
            await asyncio.to_thread(admin.execute, INSERT)
            with pytest.raises(psycopg.errors.LockNotAvailable):  # it waits for its turn, but not for ever
                await partitions.ensure(other, {"2003-04"})
            await asyncio.to_thread(admin.execute, INSERT.replace("(1,", "(2,"))
        await partitions.ensure(other, {"2003-04"})
        assert {"2003-03", "2003-04"} <= await partitions.existing(other)
        for one in (session, other):
            await connections.close(one)

    asyncio.run(run())
    assert admin.execute("select count(*) from audit_log").fetchone() == (2,)


def test_a_database_of_the_first_schema_is_brought_forward_with_what_it_holds(servers: Servers) -> None:
    settings = Settings(database_url=servers.postgres_url)
    with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
        connection.execute((FOLDER / "001_audit_log.sql").read_text())
        connection.execute("create table audit_migration (name text primary key, applied_at timestamptz default now())")
        connection.execute("insert into audit_migration (name) values ('001_audit_log.sql')")
        connection.execute(
            "with dead as (insert into audit_event_key select gen_random_uuid(), '' from generate_series(1, 2)"
            " returning event_id) insert into audit_dead_letter"
            " (event_id, event, cause, attempts, first_failed_at, last_failed_at, history)"
            " select event_id, '{}', 'c', 1, now(), now(), '[]' from dead limit 1"
        )
        asyncio.run(migrate(settings))
        assert connection.execute("select count(*), count(*) filter (where dead) from audit_event_key").fetchone() == (
            2,
            1,
        )
