"""A Postgres that is frozen ends no statement by itself: whatever reads there for the harness ends within a bound."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from shaketable import libpq
from shaketable.evidence import observe
from shaketable.evidence.backlog import Backlog
from shaketable.rundir import RunDir
from shaketable.runner.liveness import Liveness
from shaketable.stack.stack import Stack
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest
from shaketable.target.readers import database, stored
from shaketable.target.source_tables import Stored
from tests.conftest import Servers
from tests.support.waits import comes

#: Seconds of the bound in these tests, and of what they may take on a busy machine. Without a bound they never end.
BOUND_S, TOOK_S = 0.3, 20
#: It does not come back in that time either.
SLOW = Manifest(1, "t", Ingest("p"), (), Stored("select pg_sleep(8)::text as event_id, '{}'::json as event"))


@pytest.fixture
def store(servers: Servers) -> Stack:
    """As far as rows are read from it."""
    urls: dict[str, Any] = {"owner_url": lambda: servers.postgres_url, "admin_url": lambda: servers.superuser_url}
    return cast(Stack, SimpleNamespace(**urls, services=["postgres", "redis"], redis_url=lambda: servers.redis_url))


@contextmanager
def frozen(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The process of Postgres at the other end."""
    pid = connection.info.backend_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_session_at_a_frozen_server_ends_in_a_sentence(servers: Servers) -> None:
    began = time.monotonic()
    with libpq.connect_read_only(servers.postgres_url, TOOK_S, tcp_user_timeout=300) as connection, frozen(connection):
        with pytest.raises(psycopg.OperationalError, match="no answer within"), libpq.time_limit(connection, BOUND_S):
            connection.execute("select 1")
        assert connection.closed
    assert time.monotonic() - began < TOOK_S


def test_session_that_answers_is_left_alone(servers: Servers) -> None:
    def answers() -> bool:
        """Whether it does in that time, and later; a busy machine may delay any one answer."""
        with libpq.connect_read_only(servers.postgres_url, TOOK_S) as connection:
            with suppress(psycopg.OperationalError), libpq.time_limit(connection, BOUND_S):
                connection.execute("select 1")
            if connection.closed:
                return False
            time.sleep(BOUND_S * 2)
            return connection.execute("select 1").fetchone() == (1,)

    assert comes(answers)


def test_error_of_the_servers_own_stays_what_it_is(servers: Servers) -> None:
    connect = libpq.connect_read_only(servers.postgres_url, 5)
    with pytest.raises(psycopg.errors.UndefinedTable), connect as connection, libpq.time_limit(connection, TOOK_S):
        connection.execute("select * from no_such_table")


def test_ids_and_rows_that_do_not_come_blame_the_server(
    store: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "SECTION_S", BOUND_S)
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError) as of_ids:
        observe.persisted_ids(store, SLOW, BOUND_S)
    with pytest.raises(psycopg.OperationalError) as of_rows, Backlog(store, SLOW) as counted:
        observe.everything(RunDir(tmp_path), store, SLOW, counted)
    assert time.monotonic() - began < TOOK_S
    alive = Liveness(list)
    told = [alive.behind(error.value)[0] for error in (of_ids, of_rows)]
    assert all(text.startswith("postgres did not answer (no answer within 0.3 s)") for text in told)


def test_count_that_a_frozen_server_keeps_back_is_not_known(store: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Manifest(1, "t", Ingest("p"), (), Stored("select 'a' as event_id, '{}'::json as event"))
    with Backlog(store, manifest) as counted:
        assert counted.counts().stored == 1
        assert counted._stored._database is not None
        session = counted._stored._database._session
        assert session is not None
        with frozen(session):
            with monkeypatch.context() as bound:
                bound.setattr(database, "ANSWER_S", BOUND_S)
                assert counted.counts().stored is None
            assert counted.counts().stored == 1  # by a session of its own
