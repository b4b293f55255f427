"""Migrations are idempotent, safe two at once, and need no superuser; months are made when needed."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg

from reference_impl import database, partition
from reference_impl.migrate import migrate
from reference_impl.settings import Settings
from tests.conftest import Servers


def test_two_migrations_at_once_and_one_more_do_it_once(servers: Servers) -> None:
    settings = Settings(database_url=servers.postgres_url)

    async def run() -> None:
        await asyncio.gather(migrate(settings), migrate(settings))
        await migrate(settings)

    asyncio.run(run())
    with psycopg.connect(servers.postgres_url) as connection:
        assert connection.execute("select count(*) from audit_migration").fetchone() == (1,)
        owner = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
        assert owner == (False,)


def test_audit_log_has_every_column_of_the_design(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    found = admin.execute("select attname from pg_attribute where attrelid = 'audit_log'::regclass and attnum > 0")
    assert {name for (name,) in found} == {
        "id", "timestamp", "ttl", "principal_id", "organization_id", "action", "target_resource_type",
        "target_resource_id", "status", "outcome_description", "hash", "hash_algorithm", "event_version",
        "correlation_id", "data_classification", "retention_policy", "processing_latency", "archived_at", "details",
        "event_id", "position",
    }  # fmt: skip


def test_two_sessions_that_need_the_same_month_both_get_it(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    async def run() -> None:
        sessions = [await database.connect(settings) for _ in range(3)]
        await asyncio.gather(*(partition.ensure(session, {"2004-12", "2005-01"}) for session in sessions))
        for session in sessions:
            await database.close(session)

    asyncio.run(run())
    found = admin.execute("select count(*) from pg_inherits where inhrelid::regclass::text ~ '2004_12$|2005_01$'")
    assert found.fetchone() == (2,)


def test_a_new_month_does_not_wait_for_open_inserts_nor_hold_them_up(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        session = await database.connect(settings)
        await partition.ensure(session, {"2003-03"})
        await database.close(session)

    insert = (
        "insert into audit_log (id, position, event_id, timestamp, action, status, hash)"
        " values (1, 1, gen_random_uuid(), now(), 'a', 'success', '')"
    )
    with psycopg.connect(settings.database_url) as open_insert, open_insert.transaction():
        open_insert.execute(insert)
        asyncio.run(run())
        admin.execute("set lock_timeout = '1s'")
        admin.execute(insert)
