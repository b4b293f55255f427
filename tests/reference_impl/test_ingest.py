"""The intake's HTTP where something goes wrong that is no event's fault: defects, and clients that take for ever."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial

import httpx
import pytest

from reference_impl.queue import streams
from tests.conftest import Servers
from tests.reference_impl.conftest import Processes, client, health, until, wire
from tests.reference_impl.test_intake import run, settings_of


def test_what_nobody_foresaw_is_answered_500_and_logged_without_content(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def defect(*_: object) -> int:
        raise ZeroDivisionError("secret-17")

    async def do(client: httpx.AsyncClient) -> None:
        monkeypatch.setattr(streams, "lane_of", defect)
        for path in ("/events", "/events/batch"):
            answer = await client.post(path, content=wire(action="secret-18"))
            assert (answer.status_code, "a defect" in answer.json()["error"]) == (500, True)
        monkeypatch.undo()
        assert (await client.post("/events", content=wire())).status_code == 202

    run(settings_of(servers), do)
    crashes = [record for record in caplog.records if record.getMessage() == "a request met a defect"]
    assert [crash.fields["exception"] for crash in crashes] == ["ZeroDivisionError"] * 2  # type: ignore[attr-defined]
    assert "test_ingest.py:" in crashes[0].fields["where"]  # type: ignore[attr-defined]
    assert "secret" not in f"{[record.__dict__ for record in crashes]}"


@pytest.mark.slow
def test_a_body_that_trickles_is_waited_for_no_longer_than_its_time(servers: Servers, processes: Processes) -> None:
    async def whole() -> None:
        _, url = processes.start("ingest", "ingest", REQUEST_TIMEOUT_S="0.5")
        port = int(url.rpartition(":")[2])
        async with client() as http:
            await until(partial(health, http, url, 50))  # no worker
            for path in ("/events", "/events/batch"):
                began = time.monotonic()
                status, body = await trickled(port, path)
                assert (status, "within 0.5 s" in body) == (408, True)
                assert 0.5 <= time.monotonic() - began < 15  # tolerance: a busy machine; the body would take 20 s
            assert (await http.post(f"{url}/events", content=wire())).status_code == 202
            assert 'reference_refused_events_total{status="408"} 2.0' in (await http.get(f"{url}/metrics")).text

    asyncio.run(whole())


@pytest.mark.slow
def test_a_head_that_trickles_or_has_no_end_is_cut_off(processes: Processes) -> None:
    async def whole() -> None:
        _, url = processes.start("ingest", "ingest", REQUEST_TIMEOUT_S="0.5")
        port = int(url.rpartition(":")[2])
        async with client() as http:
            await until(partial(health, http, url, 50))  # no worker
            began = time.monotonic()
            assert await cut_off(port, b"x", 0.1)
            assert 0.5 <= time.monotonic() - began < 15  # tolerance: a busy machine; it would trickle for 20 s
            assert await cut_off(port, b"X-More: " + b"x" * 1000 + b"\r\n", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.7)  # a connection that says nothing, and then all
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()

    asyncio.run(whole())


async def cut_off(port: int, part: bytes, pause_s: float) -> bool:
    """Whether a head of two hundred such parts is not waited for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /events HTTP/1.1\r\nHost: localhost\r\n")
    ended = asyncio.create_task(reader.read())
    for _ in range(200):
        await asyncio.wait([ended], timeout=pause_s)
        if ended.done():
            break
        writer.write(part)
    with suppress(ConnectionError):  # what was still on its way when it was closed makes a reset of the end
        assert await asyncio.wait_for(ended, 30) == b""
    writer.close()
    return True


async def trickled(port: int, path: str) -> tuple[int, str]:
    """Send a byte each tenth of a second until the server closes the connection; what it answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n".encode())
    answer = asyncio.create_task(answered(reader))
    for byte in wire()[:200]:
        if answer.done():
            break
        writer.write(bytes([byte]))
        await asyncio.wait([answer], timeout=0.1)
    writer.close()
    return await answer


async def answered(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Status and body, read no further: a byte that crosses the server's close resets the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length:")[2].split()[0])
    return int(head.split()[1]), (await reader.readexactly(length)).decode()
