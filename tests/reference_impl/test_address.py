"""The queue's address: both clients honour what it says, and leave a primary that was demoted."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_impl.errors import SettingsError
from reference_impl.queue import heartbeats, streams
from reference_impl.queue.heartbeats import Heartbeat
from reference_impl.queue.pipeline import Pipeline
from reference_impl.settings import Settings
from shaketable.stack.binaries import valkey_server
from tests.conftest import Servers
from tests.reference_impl.conftest import until, wire
from tests.reference_impl.test_intake import intake, settings_of


class Relay:
    """A port whose connections lead to where it points when they are made: an address that can move."""

    def __init__(self, port: int) -> None:
        self.port = port

    @asynccontextmanager
    async def open(self, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            inner, outer = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.wait(
                [asyncio.create_task(_pipe(reader, outer)), asyncio.create_task(_pipe(inner, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            outer.close()
        writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while some := await reader.read(65536):
            writer.write(some)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for the name `localhost`, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = str(folder / "cert.pem"), str(folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    named = ["-addext", "subjectAltName=DNS:localhost", "-out", made[0], "-keyout", made[1]]
    subprocess.run(command + named, check=True, capture_output=True)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "options", "trusted"),
    [
        ("localhost", "ssl_ca_certs={cert}", True),
        ("localhost", "", False),
        ("localhost", "ssl_cert_reqs=none", True),
        ("127.0.0.1", "ssl_ca_certs={cert}", False),
        ("127.0.0.1", "ssl_ca_certs={cert}&ssl_check_hostname=false", True),
    ],
)
def test_both_clients_trust_the_same_certificates(
    servers: Servers, certificate: tuple[str, str], host: str, options: str, trusted: bool
) -> None:
    there = urlsplit(servers.redis_url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def connects(url: str) -> bool:
        pipeline = Pipeline(Settings(redis_url=url), asyncio.sleep)
        task = asyncio.create_task(pipeline.run())
        try:
            async with asyncio.timeout(20 if trusted else 0.5):
                await pipeline.connected.wait()
            await pipeline.add(0, "e", b"{}", "0" * 64)
        except TimeoutError:
            return False
        finally:
            task.cancel()
            await asyncio.wait([task])
            await pipeline.redis.aclose()
        return True

    async def pings(url: str) -> bool:
        async with streams.connect(url, 20) as client:
            try:
                return bool(await client.ping())
            except RedisError:
                return False

    async def run() -> tuple[bool, bool]:
        async with Relay(there.port or 0).open(context) as port:
            place = f"{there.netloc.rpartition('@')[0]}@{host}:{port}".lstrip("@")
            url = f"rediss://{place}/0?{options.format(cert=certificate[0])}"
            return await connects(url), await pings(url)

    assert asyncio.run(run()) == (trusted, trusted)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("redis://h/0?ssl_ca_certs=/x", "ssl_ca_certs"),
        ("redis://h/0?client_name=x", "client_name"),
        ("rediss://h/0?ssl_validate_ocsp=true", "ssl_validate_ocsp"),
        ("rediss://h/0?ssl_ca_certs=/no/such/file", "FileNotFoundError"),
        ("rediss://h/0?ssl_cert_reqs=perhaps", "perhaps"),
        ("redis://h/seven", "not shown"),
    ],
)
def test_an_option_that_could_not_be_honoured_is_refused_at_start(url: str, named: str) -> None:
    with pytest.raises(SettingsError, match=f"REDIS_URL: .*{named}"):
        Settings.read({"REDIS_URL": url})


@pytest.fixture
def pair(servers: Servers, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A primary and its replica."""
    ports = servers.stack.take_port(), servers.stack.take_port()
    children = []
    for port in ports:
        folder = tmp_path / f"{port}"
        folder.mkdir()
        given = ["--port", f"{port}", "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        children.append(subprocess.Popen([str(valkey_server()), *given], stdout=subprocess.DEVNULL))
    try:
        for port in ports:
            asyncio.run(until(lambda port=port: _answers(port)))  # type: ignore[misc]
        with _client(ports[1]) as replica:
            replica.replicaof("127.0.0.1", ports[0])
            asyncio.run(until(lambda: _linked(ports[1])))
        yield ports
    finally:
        for child in children:
            child.kill()
            child.wait()


def _client(port: int) -> Any:
    return redis.Redis(port=port, socket_timeout=30)


async def _answers(port: int) -> bool:
    try:
        return bool(_client(port).ping())
    except RedisError:
        return False


async def _linked(port: int) -> bool:
    return bool(_client(port).info("replication").get("master_link_status") == "up")


def _fail_over(primary: int, replica: int) -> None:
    _client(replica).replicaof("NO", "ONE")
    _client(primary).replicaof("127.0.0.1", replica)


@pytest.mark.slow
def test_a_demoted_primary_is_left_and_health_says_so_until_then(servers: Servers, pair: tuple[int, int]) -> None:
    async def run() -> None:
        relay = Relay(pair[0])
        async with (
            relay.open() as port,
            intake(settings_of(servers, redis_url=f"redis://127.0.0.1:{port}/0")) as client,
        ):

            async def takes() -> bool:
                return (await client.post("/events", content=wire())).status_code == 202

            async def score() -> Any:
                return (await client.get("/health")).json()["healthScore"]

            assert await takes()
            _fail_over(*pair)
            assert await _refused(client)
            await until(lambda: _equals(score, 0), 20)
            assert await _refused(client)
            relay.port = pair[1]  # only now does the address lead to the new primary
            await until(takes, 20)
            await until(lambda: _equals(score, 50), 20)  # no worker

    asyncio.run(run())
    assert _client(pair[1]).xlen(streams.key(streams.lane_of("org-1", "", 5))) == 2


async def _refused(client: httpx.AsyncClient) -> bool:
    return (await client.post("/events", content=wire())).status_code == 503


async def _equals(score: Any, wanted: int) -> bool:
    return bool(await score() == wanted)


@pytest.mark.slow
def test_a_worker_reads_from_the_new_primary(servers: Servers, pair: tuple[int, int]) -> None:
    """Reading is still allowed at the old one: each of its connections would stay there."""

    async def run() -> None:
        relay = Relay(pair[0])
        async with relay.open() as port, streams.connect(f"redis://127.0.0.1:{port}/0", 20) as worker:
            held = [asyncio.create_task(streams.wait(worker, lane, 0.2)) for lane in range(3)]
            await asyncio.wait(held)  # three connections
            _client(pair[1]).replicaof("NO", "ONE")
            _client(pair[0]).replicaof("127.0.0.1", 1)  # of nobody: what is new never arrives there
            _client(pair[1]).xadd(streams.key(0), {"event_id": "new"})
            relay.port = pair[1]

            async def found(use: Callable[[Redis], Awaitable[Any]]) -> bool:
                with suppress(RedisError, OSError):
                    return bool(await use(worker))
                return False

            await until(lambda: found(lambda redis: streams.head(redis, 0, 1, 1000)), 20)
            me = Heartbeat("w", "1", "CLOSED", [], 0, 0, 0, 0, 0)

            async def beats(redis: Redis) -> bool:
                await heartbeats.beat(redis, me, 10)
                return len(await heartbeats.active_workers(redis)) == 1

            await until(lambda: found(beats), 20)

    asyncio.run(run())
