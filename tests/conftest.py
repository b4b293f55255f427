"""Real servers for every test that wants them: one stack a session, a fresh database and an empty Valkey a test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psycopg
import pytest
import redis

from shaketable import ports
from shaketable.stacks import Choice, Kind
from shaketable.stacks.host import HostStack
from shaketable.supervisor import Supervisor


@dataclass(frozen=True)
class Servers:
    """Direct addresses; `stack` gives links through Toxiproxy."""

    postgres_url: str  # the owner of a fresh database, no superuser
    superuser_url: str
    redis_url: str
    stack: HostStack


#: What the tests of a module with EVERY_STACK = True stand on, one after another; those of containers are marked so.
STACKS = ["local", pytest.param("containers", marks=pytest.mark.containers)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stack" in metafunc.fixturenames and getattr(metafunc.module, "EVERY_STACK", False):
        metafunc.parametrize("stack", STACKS, indirect=True, scope="session")


@contextmanager
def opened(kind: Kind, logs: Path) -> Iterator[HostStack]:
    """A stack of that kind."""
    run_id = f"test-{secrets.token_hex(4)}"
    supervisor = Supervisor(run_id)
    try:
        with ports.reserve() as block, Choice(kind).open(run_id, block, supervisor, logs, print) as running:
            yield cast(HostStack, running)
    finally:
        supervisor.close()


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostStack]:
    """The stack, for as long as tests want it: the local one, where they do not want every one."""
    with opened(getattr(request, "param", "local"), tmp_path_factory.mktemp("logs")) as running:
        yield running


@pytest.fixture
def servers(stack: HostStack) -> Iterator[Servers]:
    """The stack with a fresh database of the target's role, and an empty Valkey."""
    name = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(stack.admin_url(), autocommit=True) as admin:
        admin.execute(f"create database {name} owner events")
    redis.Redis.from_url(stack.redis_url()).flushall()
    yield Servers(
        stack.owner_url().replace("/events?", f"/{name}?"),
        stack.admin_url().replace("/events?", f"/{name}?"),
        stack.redis_url(),
        stack,
    )
    with psycopg.connect(stack.admin_url(), autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")
