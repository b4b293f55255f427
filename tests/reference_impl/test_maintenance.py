"""Maintenance: dead letters are archived at one age, deleted at another (once archived), and counted."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from prometheus_client import REGISTRY

from reference_impl.dead_letters.repository import StoredDeadLetter
from reference_impl.errors import BreakerOpenError
from reference_impl.operations import maintenance
from reference_impl.operations.metrics import DEAD_LETTERS
from reference_impl.resilience.circuit_breaker import OPEN
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.connections import ConnectionGate
from tests.reference_impl.conftest import Link, row, until
from tests.reference_impl.test_store import REFUSE, isolate
from tests.reference_impl.test_worker import count, enqueue, worker


def tended(settings: Settings, now: datetime) -> tuple[int, int]:
    """How many were archived and purged."""

    async def run() -> tuple[int, int]:
        connection = await connections.connect(settings)
        try:
            return await maintenance.run_once(connection, settings, now)
        finally:
            await connections.close(connection)

    return asyncio.run(run())


def insert_dead_letters(settings: Settings, admin: psycopg.Connection[Any], *ages_days: float) -> list[str]:
    """Dead letters of such ages; their ids."""
    admin.execute(REFUSE.format(code="22023"))
    ids = []
    for n, age in enumerate(ages_days):
        one = row(n, action=f"poison {n}")
        isolate(settings, [one])
        admin.execute(
            "update audit_dead_letter set first_failed_at = now() - make_interval(secs => %(age)s),"
            " last_failed_at = now() - make_interval(secs => %(age)s) where event_id = %(id)s",
            {"age": age * 86_400, "id": one.event_id},
        )
        ids.append(one.event_id)
    return ids


def kept(admin: psycopg.Connection[Any]) -> list[str]:
    return [str(i) for (i,) in admin.execute("select event_id from audit_dead_letter order by id")]


@pytest.mark.slow
def test_letters_are_archived_at_one_age_and_deleted_at_another(
    settings: Settings, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    ids = insert_dead_letters(settings, admin, 31, 8, 6)
    done = tended(settings, datetime.now(UTC))
    assert done == (2, 1)
    assert DEAD_LETTERS._value.get() == 2
    assert kept(admin) == ids[1:]
    files = {path.stem: path for path in (tmp_path / "dead_letters").rglob("*.json")}
    assert set(files) == set(ids[:2])
    letter = msgspec.json.decode(files[ids[0]].read_bytes(), type=StoredDeadLetter)
    assert "poison 0" in letter.event
    assert letter.history
    assert letter.stack
    again = tended(settings, datetime.now(UTC))
    assert again == (0, 0)
    later = tended(settings, datetime.now(UTC) + timedelta(days=60))
    assert later == (1, 2)
    assert admin.execute("select count(*) from audit_event_key where dead").fetchone() == (3,)  # they stay dead


def test_what_no_archive_has_is_not_deleted(
    settings: Settings, admin: psycopg.Connection[Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = insert_dead_letters(settings, admin, 31, 8)
    in_the_way = tmp_path / "no_folder"
    in_the_way.write_text("")
    for url in (str(in_the_way), "nosuchprotocol://there"):
        done = tended(msgspec.structs.replace(settings, dead_letter_archive_url=url), datetime.now(UTC))
        assert done == (0, 0)
    assert kept(admin) == ids
    in_the_way.unlink()
    done = tended(msgspec.structs.replace(settings, dead_letter_archive_url=f"file://{in_the_way}"), datetime.now(UTC))
    assert done == (2, 1)
    assert "poison" not in str(capfd.readouterr())


def test_an_archive_that_hangs_holds_up_neither_the_turn_nor_the_end(
    settings: Settings, admin: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "WRITE_S", 0.3)
    ids = insert_dead_letters(settings, admin, 31)
    month = "to_char(first_failed_at at time zone 'UTC', 'YYYY-MM')"
    ((folder,),) = admin.execute(f"select {month} from audit_dead_letter").fetchall()
    file = tmp_path / "dead_letters" / folder / f"{ids[0]}.json"
    file.parent.mkdir(parents=True)
    os.mkfifo(file)  # whoever writes waits for a reader
    release = threading.Timer(30, os.open, [file, os.O_RDONLY | os.O_NONBLOCK])
    release.start()
    begun = time.monotonic()
    done = tended(settings, datetime.now(UTC))
    took = time.monotonic() - begun
    release.cancel()
    assert (done, kept(admin)) == ((0, 0), ids)
    assert took < 20  # tolerance: a busy machine; the archive would hang for 30 s
    os.close(os.open(file, os.O_RDONLY | os.O_NONBLOCK))


def test_a_letter_written_and_not_marked_is_written_again_to_the_same_file(
    settings: Settings, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    insert_dead_letters(settings, admin, 8)
    tended(settings, datetime.now(UTC))
    (before,) = (tmp_path / "dead_letters").rglob("*.json")
    admin.execute("update audit_dead_letter set archived_at = null")
    assert tended(settings, datetime.now(UTC)) == (1, 0)
    assert list((tmp_path / "dead_letters").rglob("*.json")) == [before]


def test_no_transaction_deletes_more_than_a_thousand(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(
        "with key as (insert into audit_event_key (event_id, hash, dead)"
        " select gen_random_uuid(), '', true from generate_series(1, 2500) returning event_id)"
        " insert into audit_dead_letter"
        " (event_id, event, cause, attempts, first_failed_at, last_failed_at, history, archived_at)"
        " select event_id, '', '', 1, now() - interval '31 days', now() - interval '31 days', '[]', now() from key"
    )
    assert tended(settings, datetime.now(UTC)) == (0, 2500)
    deleted = admin.execute("select count(*) from audit_event_key where dropped group by xmin::text order by 1")
    assert deleted.fetchall() == [(500,), (1000,), (1000,)]


def test_a_worker_tends_again_and_again_and_its_metrics_tell(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(REFUSE.format(code="22023"))
    DEAD_LETTERS.set(0)  # the process's: a test before may have left its own

    async def run() -> None:
        async with worker(settings, upkeep_interval_s=0.05):
            await enqueue(settings, (0, {"action": "poison"}), (0, {"action": "poison"}), (0, {}))
            await until(lambda: count(admin, 1))

            async def told() -> bool:
                totals = ("reference_dead_letters", "reference_dead_letters_today")
                return [REGISTRY.get_sample_value(name) for name in totals] == [2, 2]

            await until(told)

    asyncio.run(run())
    newest = admin.execute("select extract(epoch from max(last_failed_at)) from audit_dead_letter").fetchone()
    assert REGISTRY.get_sample_value("reference_dead_letters_newest_seconds") == pytest.approx(
        float((newest or (0,))[0])
    )
    cause = "data: SQLSTATE 22023 (InvalidParameterValue)"
    assert REGISTRY.get_sample_value("reference_dead_letters_by_cause", {"cause": cause}) == 2


def test_no_admin_connection_while_the_breaker_is_not_closed_and_none_outlives_its_opening(
    settings: Settings, postgres_link: Link
) -> None:
    state = ["CLOSED"]

    async def run() -> None:
        admin = ConnectionGate(settings, lambda: state[0])
        async with admin.connection(10) as connection:
            asyncio.get_running_loop().call_later(0.1, admin.abort)
            with pytest.raises(psycopg.OperationalError):
                await connection.execute("select pg_sleep(60)")
        state[0] = OPEN
        with pytest.raises(BreakerOpenError):
            async with admin.connection(10):
                pass
        state[0] = "CLOSED"
        postgres_link.silence()
        silent = msgspec.structs.replace(settings, database_url=postgres_link.through(settings.database_url))
        admin = ConnectionGate(silent, lambda: state[0])
        asyncio.get_running_loop().call_later(0.1, admin.abort)
        with pytest.raises(BreakerOpenError):
            async with admin.connection(10):
                pass

    asyncio.run(run())
