"""The processes as the harness starts them: cold start, SIGTERM, SIGKILL, a frozen worker."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

import reference_impl
from reference_impl.transition import FILE
from tests.conftest import Servers
from tests.reference_impl.conftest import Link, until, wire

MANIFEST = tomllib.loads((Path(reference_impl.__file__).parent / "target.toml").read_text())


class Processes:
    """Starts processes, ends what is left."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self._servers, self._folder = servers, folder
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, process: str, **environ: str) -> tuple[subprocess.Popen[bytes], str]:
        """A process, and where it answers."""
        port = self._servers.stack.take_port()
        given = {
            "DATABASE_URL": self._servers.postgres_url, "REDIS_URL": self._servers.redis_url, "HTTP_PORT": f"{port}",
            "PROCESS": process, "INCARNATION": "1", "STATE_DIR": str(self._folder / process), "LEASE_S": "2",
            "ATTEMPT_TIMEOUT_S": "1", "BREAKER_RECOVERY_TIMEOUT_S": "1", **environ,
        }  # fmt: skip
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
def processes(servers: Servers, tmp_path: Path) -> Iterator[Processes]:
    given = {"DATABASE_URL": servers.postgres_url}
    subprocess.run([sys.executable, "-m", "reference_impl", "migrate"], env=given, check=True, capture_output=True)
    started = Processes(servers, tmp_path)
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
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=20), timeout=10)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_goes_loses_and_doubles_nothing(
    processes: Processes, admin: psycopg.Connection[Any], end: signal.Signals
) -> None:
    async def run() -> None:
        _, intake = processes.start("ingest", "ingest")
        doomed, _ = processes.start("work", "worker-1")
        processes.start("work", "worker-2")
        async with client() as http:
            await until(lambda: health(http, intake, 100, lanes=5))
            ids = await send(http, intake, 200)
            os.kill(doomed.pid, end)
            ids |= await send(http, intake, 200)
            assert len(ids) == 400
            await until(lambda: all_stored(admin, ids))
            if end is signal.SIGTERM:
                assert await asyncio.to_thread(doomed.wait, 10) == 0
            os.kill(doomed.pid, signal.SIGCONT) if end is signal.SIGSTOP else None
            ids |= await send(http, intake, 50)
            await until(lambda: all_stored(admin, ids))
            await until(lambda: health(http, intake, 71, lanes=5))

    asyncio.run(run())


def test_cold_start_without_servers_is_unhealthy_and_recovers_by_itself(
    servers: Servers,
    processes: Processes,
    admin: psycopg.Connection[Any],
    redis_link: Link,
    postgres_link: Link,
    tmp_path: Path,
) -> None:
    redis_link.cut()
    postgres_link.cut()
    urls = {
        "REDIS_URL": redis_link.through(servers.redis_url),
        "DATABASE_URL": postgres_link.through(servers.postgres_url),
    }

    async def run() -> None:
        _, intake = processes.start("ingest", "ingest", **urls)
        child, worker = processes.start("work", "worker-1", **urls)
        async with client() as http:
            for url in (intake, worker):
                told = await until(partial(health, http, url, 0))
                assert told["healthScore"] == 0
            assert (await http.post(f"{intake}/events", content=wire())).status_code == 503
            redis_link.mend()

            async def accepted() -> set[str]:
                return await send(http, intake, 1)

            ids = await until(accepted)
            postgres_link.mend()
            await until(lambda: all_stored(admin, ids))
            await until(lambda: health(http, intake, 71))
            transitions = (await http.get(f"{worker}/breaker/transitions")).content
        assert transitions == (tmp_path / "worker-1" / FILE).read_bytes()
        assert child.poll() is None

    asyncio.run(run())


def test_no_content_reaches_the_logs(processes: Processes, admin: psycopg.Connection[Any], tmp_path: Path) -> None:
    async def run() -> None:
        _, intake = processes.start("ingest", "ingest")
        processes.start("work", "worker-1")
        name = str(uuid.uuid4())
        async with client() as http:
            await until(lambda: health(http, intake, 100))
            for action in ("secret-17", "secret-18"):
                assert (
                    await http.post(f"{intake}/events", content=wire(eventId=name, action=action))
                ).status_code == 202
            await http.post(f"{intake}/events", content=wire(timestamp="secret-19"))
            await until(lambda: all_stored(admin, {name}))

    asyncio.run(run())
    for log in tmp_path.glob("*.log"):
        assert b"secret" not in log.read_bytes()


def test_a_port_in_use_is_refused_in_one_sentence(servers: Servers, processes: Processes) -> None:
    _, url = processes.start("ingest", "ingest")

    async def run() -> None:
        async with client() as http:
            await until(partial(health, http, url, 0))

    asyncio.run(run())
    port = url.rpartition(":")[2]
    for command in ("ingest", "work"):
        given = {"DATABASE_URL": servers.postgres_url, "REDIS_URL": servers.redis_url, "HTTP_PORT": port}
        ended = subprocess.run(
            [sys.executable, "-m", "reference_impl", command], env=given, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 78
        assert ended.stderr == f"HTTP_PORT: expected a free port on 127.0.0.1, got {port} (Address already in use)\n"


def test_the_manifest_names_settings_and_queries_that_exist(settings: Any, admin: psycopg.Connection[Any]) -> None:
    fields = {field.upper() for field in type(settings).__struct_fields__}
    assert set(MANIFEST["settings"].values()) <= fields
    timing = MANIFEST["timing"]
    assert (timing["failure_threshold"], timing["recovery_s"], timing["lease_s"], timing["attempt_timeout_s"]) == (
        5, 30, 10, 5,
    )  # fmt: skip
    for part in ("stored", "dead_letters"):
        admin.execute(MANIFEST[part]["sql"])
