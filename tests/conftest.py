"""Real servers for every test that wants them: one stack a session, a fresh database and an empty Valkey a test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from shaketable import ports
from shaketable.stacks.local import LocalStack
from shaketable.supervisor import Supervisor


@dataclass(frozen=True)
class Servers:
    """Direct addresses; `stack` gives links through Toxiproxy."""

    postgres_url: str  # the owner of a fresh database, no superuser
    superuser_url: str
    redis_url: str
    stack: LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The local stack, for the whole session."""
    run_id = f"test-{secrets.token_hex(4)}"
    supervisor = Supervisor(run_id)
    logs: Path = tmp_path_factory.mktemp("logs")
    try:
        with ports.reserve() as block, LocalStack(run_id, block, supervisor, logs) as running:
            yield running
    finally:
        supervisor.close()


@pytest.fixture
def servers(stack: LocalStack) -> Iterator[Servers]:
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
        admin.execute(f"drop database {name} with (force)")
