"""Connections: idle ones, too many, half-closed and pipelined ones, and large events that hold up nobody."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from reference_impl.ingest import app, server
from reference_impl.settings import Settings
from tests.conftest import Servers
from tests.reference_impl.conftest import Processes, client, health, until, wire

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
GOODBYE = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def post(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /events HTTP/1.1", b"Host: localhost", *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def length(_: Scope, receive: Receive, send: Send) -> None:
    """Answer how long the body was."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"%d bytes" % size
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(head_s: float = 30) -> AsyncIterator[Callable[[], Awaitable[Streams]]]:
    """A server that answers the length of a body; opens a connection to it."""
    listening, stopping = server.bind("127.0.0.1", 0), asyncio.Event()
    task = asyncio.create_task(server.serve(app.with_error_handling(length, Settings()), listening, stopping, head_s))
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> Streams:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        opened.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for writer in opened:
            writer.close()
        stopping.set()
        await task


async def answers(reader: asyncio.StreamReader) -> list[bytes]:
    """The bodies of all answers until the server closes."""
    return [part.partition(b"\r\n\r\n")[2] for part in (await reader.read()).split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("said", [b"", b"\r\n", HEALTH, post(b"x" * 100), post(b"", b"Origin: null")[:-2]])
def test_a_connection_that_says_nothing_more_is_closed(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def whole() -> None:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(said)
            await asyncio.wait_for(reader.read(), 30)

    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.3)
    asyncio.run(whole())


def test_a_body_that_drips_on_after_its_refusal_does_not_keep_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def whole() -> None:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(post(b"x", b"Origin: null").replace(b"Content-Length: 1", b"Content-Length: 9999"))
            ended = asyncio.create_task(reader.read())
            for _ in range(100):
                await asyncio.wait([ended], timeout=0.05)
                if ended.done():
                    break
                writer.write(b"x")
            assert ended.done()
            await asyncio.gather(ended, return_exceptions=True)  # what crosses the close resets the connection

    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.3)
    asyncio.run(whole())


@pytest.mark.parametrize("size", [10, 70_000, 300_000])
def test_a_head_may_follow_a_body_of_any_size_in_parts(size: int) -> None:
    async def whole() -> list[bytes]:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(post(b"x" * size) + post(b"y" * size)[:30])
            await writer.drain()
            await asyncio.sleep(0.1)  # that it comes in a part of its own
            writer.write(post(b"y" * size)[30:] + GOODBYE)
            return await answers(reader)

    assert asyncio.run(whole()) == [b"%d bytes" % size] * 2 + [b"0 bytes"]


def test_requests_that_come_at_once_are_answered_in_their_order() -> None:
    async def whole() -> list[bytes]:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(b"".join(post(b"x" * n) for n in range(3000)) + GOODBYE)
            return await answers(reader)

    assert asyncio.run(whole()) == [b"%d bytes" % n for n in range(3000)] + [b"0 bytes"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_client_that_has_ended_its_side_hears_its_answers(count: int) -> None:
    async def whole() -> list[bytes]:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(post(b"xyz") * count)
            writer.write_eof()
            return await asyncio.wait_for(answers(reader), 30)

    assert asyncio.run(whole()) == [b"3 bytes"] * count


def test_a_client_that_ends_within_its_request_is_not_waited_for() -> None:
    async def whole() -> None:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(post(b"xyz")[:-1])
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 30) == b""

    asyncio.run(whole())


OFFER = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")


def test_an_offer_of_another_protocol_is_not_taken_and_its_body_is_read() -> None:
    async def whole() -> list[bytes]:
        async with serving() as connect:
            reader, writer = await connect()
            offered = post(b"x" * 100, *OFFER)
            for part in (offered[:-100], offered[-100:-40], offered[-40:] + offered * 50, GOODBYE):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.02)  # that each comes as a part of its own
            return await answers(reader)

    assert asyncio.run(whole()) == [b"100 bytes"] * 51 + [b"0 bytes"]


@pytest.mark.parametrize(
    "said", [b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02", b"GET / HTTP/3\r\n\r\n"]
)
def test_what_is_no_http_is_refused_at_once(said: bytes) -> None:
    async def whole() -> bytes:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(said)
            return await asyncio.wait_for(reader.read(), 30)

    assert asyncio.run(whole()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.slow
@pytest.mark.parametrize("busy", [False, True])
def test_where_descriptors_run_out_health_answers_and_the_log_stays_small(
    servers: Servers, processes: Processes, tmp_path: Path, busy: bool
) -> None:
    async def whole() -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # which a child inherits
        try:
            _, url = processes.start("ingest", "ingest")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        port = int(url.rpartition(":")[2])
        async with client() as http:
            await until(partial(health, http, url, 50))  # no worker
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(140 if busy else 400)]
        if busy:
            for _, writer in crowd:
                writer.write(post(b"x" * 99)[:-50])  # a request that waits for its body
        await asyncio.sleep(0.5)
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GOODBYE)
            assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 200 ")
            writer.close()
        if busy:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(post(wire()))
            assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 503 ")
            writer.close()
        for _, writer in crowd:
            writer.close()
        async with client() as http:

            async def taken() -> bool:
                return (await http.post(f"{url}/events", content=wire())).status_code == 202

            await until(taken)

    asyncio.run(whole())
    log = (tmp_path / "ingest.log").read_text().splitlines()
    assert sum("too many connections" in line for line in log) == 1
    assert len(log) < 20
