"""The store of the Python alternatives, in a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alternatives.common import statements
from alternatives.common.store import Store
from tests.alternatives.test_event import GOOD
from tests.conftest import Servers

Opened = Callable[[str, str], Store]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(servers: Servers) -> str:
    for _ in range(2):  # twice is once
        env = {**os.environ, "DATABASE_URL": servers.postgres_url}
        subprocess.run([sys.executable, "-m", "alternatives.common.migrate"], cwd=ROOT, env=env, check=True)
    return servers.postgres_url


@pytest.fixture
def opened() -> Iterator[Opened]:
    with ExitStack() as stores:
        yield lambda statement, url: stores.enter_context(closing(Store(statement, url)))


def rows(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select event from event_log order by position")]


@pytest.mark.slow
@pytest.mark.parametrize(("statement", "times"), [(statements.DEFAULTS, 2), (statements.HARDENED, 1)])
def test_a_job_that_runs_twice_shows_unless_a_key_keeps_it_out(
    url: str, opened: Opened, statement: str, times: int
) -> None:
    store = opened(statement, url)
    for _ in range(2):
        store.insert(GOOD)
    assert rows(url) == [GOOD] * times


@pytest.mark.slow
def test_a_connection_that_was_lost_fails_its_job_and_the_next_opens_another(
    url: str, opened: Opened, servers: Servers
) -> None:
    store = opened(statements.HARDENED, url)
    store.insert(GOOD)
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    other = GOOD | {"eventId": "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a78"}
    with pytest.raises(psycopg.OperationalError):
        store.insert(other)
    store.insert(other)
    assert rows(url) == [GOOD, other]


@pytest.mark.slow
def test_what_postgres_refuses_leaves_the_connection_of_use(url: str, opened: Opened) -> None:
    store = opened(statements.DEFAULTS, url)
    with pytest.raises(psycopg.DataError):
        store.insert(GOOD | {"action": "a\0b"})
    store.insert(GOOD)
    assert rows(url) == [GOOD]
