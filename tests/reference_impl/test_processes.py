"""The processes as the harness starts them: cold start, SIGTERM, SIGKILL, a frozen worker."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import tomllib
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from redis import Redis

import reference_impl
from reference_impl import __main__
from reference_impl.queue import streams
from reference_impl.resilience.circuit_breaker import FILE
from reference_impl.settings import Settings
from tests.conftest import Servers
from tests.reference_impl.conftest import Link, Processes, all_stored, client, health, send, until, wire
from tests.reference_impl.test_store import REFUSE
from tests.support.cases import cases

#: How a worker may go.
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP]
MANIFEST = tomllib.loads((Path(reference_impl.__file__).parent / "target.toml").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("end", cases(SIGNALS, each_change=[signal.SIGSTOP]))
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
            assert len(ids) > 300  # a busy machine may refuse some
            await until(lambda: all_stored(admin, ids))
            if end is signal.SIGTERM:
                assert await asyncio.to_thread(doomed.wait, 10) == 0
            os.kill(doomed.pid, signal.SIGCONT) if end is signal.SIGSTOP else None
            ids |= await send(http, intake, 50)
            await until(lambda: all_stored(admin, ids))
            await until(lambda: health(http, intake, 71, lanes=5))

    asyncio.run(run())


@pytest.mark.slow
def test_sigterm_ends_a_worker_within_its_grace_whatever_its_batch_waits_for(
    processes: Processes, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        _, intake = processes.start("ingest", "ingest")
        child, _ = processes.start("work", "worker-1", ATTEMPT_TIMEOUT_S="60", LEASE_S="120", STOP_GRACE_S="0.5")
        async with client() as http:
            await until(lambda: health(http, intake, 100, lanes=5))
            with admin.transaction():
                admin.execute("lock table audit_log")
                ids = await send(http, intake, 1)

                async def waits() -> bool:
                    found = admin.execute("select count(*) from pg_locks where not granted and locktype = 'relation'")
                    return found.fetchone() != (0,)

                await until(waits)
                child.terminate()
                assert await asyncio.to_thread(child.wait, MANIFEST["process"][1]["stop_s"]) == 0
            processes.start("work", "worker-2")
            await until(lambda: all_stored(admin, ids))

    asyncio.run(run())


@pytest.mark.slow
def test_sigterm_leaves_requests_under_way_their_answer(servers: Servers, processes: Processes) -> None:
    async def run() -> None:
        child, intake = processes.start("ingest", "ingest")
        async with client() as http:
            await until(partial(health, http, intake, 50))  # no worker
            await until(partial(send, http, intake, 1))
            with Redis.from_url(servers.redis_url) as redis:
                redis.client_pause(60_000, all=False)  # who writes waits
                asking = asyncio.create_task(http.post(f"{intake}/events", content=wire()))

                async def waits() -> bool:
                    return any("b" in each["flags"] for each in redis.client_list())

                await until(waits)
                child.terminate()
                await until(partial(_refuses, http, intake))
                redis.client_unpause()
            assert (await asking).status_code == 202
            assert await asyncio.to_thread(child.wait, MANIFEST["process"][0]["stop_s"]) == 0

    asyncio.run(run())


async def _refuses(http: httpx.AsyncClient, url: str) -> bool:
    """Whether it takes no more requests."""
    try:
        await http.get(f"{url}/health")
    except httpx.TransportError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("command", ["ingest", "work"])
def test_a_defect_in_a_part_ends_the_process(
    servers: Servers, processes: Processes, tmp_path: Path, command: str
) -> None:
    with Redis.from_url(servers.redis_url) as redis:
        redis.set(streams.LANES, "no number")
    child, _ = processes.start(command, command)
    assert child.wait(60) == 1
    told = [msgspec.json.decode(line) for line in (tmp_path / f"{command}.log").read_bytes().splitlines()]
    assert {"a background task failed", "ended by a defect"} <= {line["message"] for line in told}


@pytest.mark.slow
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


def test_no_content_reaches_the_logs_and_each_line_is_json(
    servers: Servers, processes: Processes, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    admin.execute(REFUSE.format(code="22023"))
    hostile = [
        wire(timestamp="secret-1"),
        b'{"secret-2": ',
        wire(status="secret-3"),
        wire(secret4={"a": "\0"}),
        wire(eventId="secret-5" * 5),
        b"\xff secret-6",
        b'{"secret7":' + b"[" * 40,
        wire(action="secret", ttl=1.5),
    ]

    async def run() -> None:
        _, intake = processes.start("ingest", "ingest")
        processes.start("work", "worker-1")
        name, poison, unknown = (str(uuid.uuid4()) for _ in range(3))
        async with client() as http:
            await until(lambda: health(http, intake, 100))
            for event_id, action in ((name, "secret-17"), (name, "secret-18"), (poison, "poison secret-19")):
                answer = await http.post(f"{intake}/events", content=wire(eventId=event_id, action=action))
                assert answer.status_code == 202
            for body in hostile:
                assert 400 <= (await http.post(f"{intake}/events", content=body)).status_code < 500
            await http.post(f"{intake}/events/batch", content=b"\n".join(hostile))
            await http.get(f"{intake}/secret-20?secret=21", headers={"secret": "22"})
            Redis.from_url(servers.redis_url).xadd("events:0", {"event": '{"eventId": "secret-23"}', "hash": "secret"})
            Redis.from_url(servers.redis_url).xadd("events:1", {"event": b"\xff secret-24"})
            await until(lambda: all_stored(admin, {name}))

            async def buried() -> bool:
                return (admin.execute("select count(*) from audit_dead_letter").fetchone() or (0,))[0] >= 3

            await until(buried)
            admin.execute(REFUSE.format(code="XX000"))
            await http.post(f"{intake}/events", content=wire(eventId=unknown, action="poison secret-25"))

            async def tried() -> bool:
                return b"attempt failed" in (tmp_path / "worker-1.log").read_bytes()

            await until(tried)

    asyncio.run(run())
    told = b"".join(log.read_bytes() for log in tmp_path.glob("*.log"))
    assert b"secret" not in told
    assert all({"at", "level", "process", "message"} <= msgspec.json.decode(line).keys() for line in told.splitlines())
    assert b"lane acquired" in told


def test_what_nobody_awaited_is_logged_by_class_and_place_and_its_words_are_not(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail() -> None:
        raise ValueError("secret-17")

    def fail_at_once(_: str) -> None:
        raise KeyError("secret-18")

    async def command(_: Settings) -> None:
        asyncio.get_running_loop().call_soon(fail_at_once, "secret-19")
        await asyncio.wait([asyncio.create_task(fail())])
        gc.collect()

    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # put back at the end
    monkeypatch.setitem(__main__.COMMANDS, "migrate", __main__.Command(command, [], ""))
    monkeypatch.setattr(sys, "argv", ["reference_impl", "migrate"])
    assert __main__.main() == 0
    told = capfd.readouterr().err
    assert [msgspec.json.decode(line)["exception"] for line in told.splitlines()] == ["KeyError", "ValueError"]
    assert told.count("test_processes.py:") == 2
    assert "secret" not in told


@pytest.mark.slow
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
    assert set(MANIFEST["settings"].values()) - {""} <= fields  # "" follows from others
    timing = MANIFEST["timing"]
    assert (timing["failure_threshold"], timing["recovery_s"], timing["lease_s"], timing["attempt_timeout_s"]) == (
        5,
        30,
        10,
        5,
    )
    for part in ("stored", "dead_letters"):
        admin.execute(MANIFEST[part]["sql"])
