"""What the reference's tests share: settings for real servers, and a migrated database."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec
import psycopg
import pytest

from reference_impl import log
from reference_impl.event import event
from reference_impl.queue.streams import Entry
from reference_impl.settings import Settings
from reference_impl.store import connections as database
from reference_impl.store.copy_row import Row, build
from reference_impl.store.writer import Store
from shaketable.stack.host import HostStack
from tests.conftest import Servers

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def wire(**members: Any) -> bytes:
    """A valid event in its wire form, but for what is given; a member given as ... is left out."""
    whole = {
        "eventId": str(uuid.uuid4()),
        "timestamp": "2026-11-23T10:15:02.123456Z",
        "action": "record.read",
        "status": "success",
        "organizationId": "org-1",
        **members,
    }
    return msgspec.json.encode({name: value for name, value in whole.items() if value is not ...})


def entry(number: int = 1, **members: Any) -> Entry:
    """The queue's entry of such an event."""
    stamped = event.accept(wire(**members), NOW, 32)
    fields = ["event_id", stamped.event.event_id or "", "event", msgspec.json.encode(stamped.event).decode()]
    return Entry(f"{1_795_000_000_000 + number}-0", [*fields, "hash", stamped.hash])


def row(number: int = 1, **members: Any) -> Row:
    """Its row."""
    return build(entry(number, **members))


async def until(holds: Callable[[], Awaitable[Any]], within_s: float = 60.0) -> Any:
    """Wait for a condition; its value. Fails after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := await holds()):
        assert time.monotonic() < deadline, f"did not hold within {within_s} s"
        await asyncio.sleep(0.02)
    return value


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a test makes of the loggers, and the warnings that it was the first to give, are no later test's."""
    levels = {logger: logger.level for logger in map(logging.getLogger, (None, *log.QUIET))}
    yield
    for logger, level in levels.items():
        logger.setLevel(level)
    log._warned_at.clear()


@pytest.fixture(scope="session")
def migrated(stack: HostStack) -> str:
    """A database as `migrate` leaves it, made by the command itself: each test's is a copy of it."""
    with psycopg.connect(stack.admin_url(), autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = 'migrated'").fetchone():
            return "migrated"
        connection.execute("create database migrated owner events")
    given = {"DATABASE_URL": stack.owner_url().replace("/events?", "/migrated?")}
    subprocess.run([sys.executable, "-m", "reference_impl", "migrate"], env=given, check=True, capture_output=True)
    return "migrated"


@pytest.fixture
def store(servers: Servers, migrated: str) -> Servers:
    """The servers, with a database that is migrated."""
    servers.start_from(migrated)
    return servers


@pytest.fixture
def settings(store: Servers, tmp_path: Path) -> Settings:
    """Short times, so that outages pass quickly."""
    return Settings(
        database_url=store.postgres_url,
        redis_url=store.redis_url,
        state_dir=str(tmp_path),
        process="worker-1",
        lease_s=2.0,
        attempt_timeout_s=1.0,
        connect_timeout_s=1.0,
        enqueue_timeout_s=20.0,
        breaker_recovery_timeout_s=0.5,
        retry_base_s=0.05,
    )


@pytest.fixture
def admin(servers: Servers) -> Iterator[psycopg.Connection[Any]]:
    """The superuser's connection to the test's database."""
    with psycopg.connect(servers.superuser_url, autocommit=True) as connection:
        yield connection


async def store_of(settings: Settings) -> Store:
    """A store on a connection of its own; the caller closes it."""
    store = Store(await database.connect(settings), settings)
    await store.prepare()
    return store


class Link:
    """A worker's path to Postgres or Valkey that a test can cut or silence."""

    def __init__(self, servers: Servers, service: Literal["postgres", "redis"]) -> None:
        self._stack = servers.stack
        self._link = servers.stack.add_link(f"test-{uuid.uuid4().hex[:8]}", service)
        self._name = servers.stack.proxy(self._link)

    def through(self, url: str) -> str:
        """The address `url`, by way of this link."""
        return url.replace(str(self._link.upstream), str(self._link.listen))

    def silence(self) -> None:
        """From now on nothing comes through in either direction, and nothing is closed."""
        for stream in ("upstream", "downstream"):
            self._stack.toxiproxy.add_toxic(self._name, f"silence-{stream}", "timeout", {"timeout": 0}, stream)

    def slow(self, latency_ms: int) -> None:
        """From now on each message to the server takes so much longer."""
        self._stack.toxiproxy.add_toxic(self._name, "slow", "latency", {"latency": latency_ms}, "upstream")

    def cut(self) -> None:
        """Refuse connections, and end those there are."""
        self._stack.toxiproxy.enable(self._name, False)

    def mend(self) -> None:
        """Let everything through again."""
        self._stack.toxiproxy.enable(self._name, True)

    def remove(self) -> None:
        """End it, whatever hangs in it."""
        self._stack.remove_link(self._link)


@pytest.fixture
def postgres_link(servers: Servers) -> Iterator[Link]:
    """A path to Postgres of this test's own."""
    link = Link(servers, "postgres")
    yield link
    link.remove()


@pytest.fixture
def redis_link(servers: Servers) -> Iterator[Link]:
    """A path to Valkey of this test's own."""
    link = Link(servers, "redis")
    yield link
    link.remove()


class Processes:
    """Starts processes, ends what is left."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self._servers, self._folder = servers, folder
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, process: str, **environ: str) -> tuple[subprocess.Popen[bytes], str]:
        """A process, and where it answers."""
        port = self._servers.stack.take_port()
        given = {
            "DATABASE_URL": self._servers.postgres_url,
            "REDIS_URL": self._servers.redis_url,
            "HTTP_PORT": f"{port}",
            "PROCESS": process,
            "INCARNATION": "1",
            "STATE_DIR": str(self._folder / process),
            "LEASE_S": "2",
            "ATTEMPT_TIMEOUT_S": "1",
            "BREAKER_RECOVERY_TIMEOUT_S": "1",
            "ENQUEUE_TIMEOUT_S": "20",
            **environ,
        }
        log = (self._folder / f"{process}.log").open("ab")
        child = subprocess.Popen([sys.executable, "-m", "reference_impl", command], env=given, stderr=log)
        log.close()
        self._children.append(child)
        return child, f"http://127.0.0.1:{port}"

    def end(self) -> None:
        for child in self._children:
            child.kill()
            child.wait()


@pytest.fixture
def processes(store: Servers, tmp_path: Path) -> Iterator[Processes]:
    started = Processes(store, tmp_path)
    yield started
    started.end()


async def health(client: httpx.AsyncClient, url: str, least: int, lanes: int = 0) -> Any:
    try:
        told = (await client.get(f"{url}/health")).json()
    except httpx.TransportError:
        return None
    held = sum(len(worker["lanes"]) for worker in told["workers"])
    return told if told["healthScore"] >= least and held >= lanes else None


async def send(client: httpx.AsyncClient, url: str, count: int) -> set[str]:
    """Send so many events of ten organizations; the ids of those acknowledged."""
    answers = await asyncio.gather(
        *(client.post(f"{url}/events", content=wire(organizationId=f"org-{n % 10}")) for n in range(count))
    )
    return {answer.json()["eventId"] for answer in answers if answer.status_code == 202}


async def all_stored(admin: psycopg.Connection[Any], ids: set[str]) -> bool:
    rows = [str(event_id) for (event_id,) in admin.execute("select event_id from audit_log")]
    assert len(rows) == len(set(rows))
    return ids <= set(rows)


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=20), timeout=60)
