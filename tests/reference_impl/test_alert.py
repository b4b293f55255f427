"""Alerts reach a real webhook: one of a kind within the cool-down, and what came meanwhile is in the next."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import psycopg
import pytest
from prometheus_client import REGISTRY

from reference_impl import log
from reference_impl.operations import alerts as alert
from reference_impl.operations.alerts import Alert, Alerts
from reference_impl.resilience.circuit_breaker import OPEN
from reference_impl.settings import Settings
from tests.reference_impl.conftest import Link, until
from tests.reference_impl.test_store import REFUSE
from tests.reference_impl.test_worker import enqueue, worker


class Webhook:
    """A receiver; `status` is what it answers."""

    def __init__(self) -> None:
        self.received: queue.Queue[Alert] = queue.Queue()
        self.status = 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(outer.status)
                self.end_headers()
                outer.received.put(msgspec.json.decode(body, type=Alert))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts?token=secret-17"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    async def next(self) -> Alert:
        return await asyncio.to_thread(self.received.get, timeout=30)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    one = Webhook()
    yield one
    one.close()


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_of_a_kind_within_the_cool_down_and_the_next_counts_the_rest(webhook: Webhook) -> None:
    async def run() -> None:
        clock = Clock()
        alerts = Alerts(Settings(alert_webhook_url=webhook.url, process="worker-7"), clock)
        alerts.notify("dead_letter", "events died", 2)
        first = await webhook.next()
        assert (first.kind, first.count, first.process) == ("dead_letter", 2, "worker-7")
        alerts.notify("dead_letter", "events died", 3)
        clock.now = 299.9
        alerts.notify("dead_letter", "events died", 1)
        alerts.send_due()
        assert webhook.received.empty()
        clock.now = 300
        alerts.send_due()
        assert (await webhook.next()).count == 4
        alerts.notify("dead_letter", "events died", 5)
        alerts.notify("breaker_open", "5 consecutive failures")  # another kind has a cool-down of its own
        assert (await webhook.next()).kind == "breaker_open"
        closing = asyncio.create_task(alerts.close())
        assert (await webhook.next()).count == 5  # sent at the end, too
        await closing

    asyncio.run(run())


def went_out() -> float:
    return REGISTRY.get_sample_value("reference_alerts_total", {"kind": "dead_letter"}) or 0


def test_a_webhook_that_fails_is_told_again_and_its_address_is_in_no_log(
    webhook: Webhook, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # put back at the end
    before = went_out()

    async def run() -> None:
        log.configure("test")
        alerts = Alerts(Settings(alert_webhook_url=webhook.url), clock := Clock())
        webhook.status = 500
        alerts.notify("dead_letter", "events died")
        await webhook.next()
        webhook.status = 204
        await until(lambda: _sent_again(alerts, clock, webhook))
        assert (await webhook.next()).count == 1
        await alerts.close()

    asyncio.run(run())
    assert went_out() == before + 1
    told = capfd.readouterr().err
    assert "the webhook did not take an alert" in told
    assert "secret-17" not in told


async def _sent_again(alerts: Alerts, clock: Clock, webhook: Webhook) -> bool:
    """Let the cool-down pass: an alert whose post has failed is sent again."""
    clock.now += 300
    alerts.send_due()
    return not webhook.received.empty()


HEAD_WITHOUT_END = b"HTTP/1.1 200 OK\r\nX-More: "
BODY_WITHOUT_END = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@asynccontextmanager
async def slow_webhook(answer: bytes) -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """One that answers so, and goes on for ever, a byte each twentieth of a second; its address, and what it gets."""
    got: asyncio.Queue[bytes] = asyncio.Queue()
    talking: list[asyncio.Task[Any] | None] = []

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.append(asyncio.current_task())
        got.put_nowait(await reader.readuntil(b"}"))
        writer.write(answer)
        try:
            while not reader.at_eof():
                await asyncio.sleep(0.05)
                writer.write(b"x")
        finally:
            writer.transport.abort()  # what is not sent yet would keep it open beyond the loop

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", got
    finally:
        server.close()
        for task in filter(None, talking):
            task.cancel()
        await asyncio.gather(*filter(None, talking), return_exceptions=True)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "reference"]


def test_a_webhook_whose_answer_trickles_is_waited_for_no_longer_than_its_time(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert, "POST_S", 0.3)

    async def run() -> None:
        async with slow_webhook(HEAD_WITHOUT_END) as (url, got):
            alerts = Alerts(Settings(alert_webhook_url=url), clock := Clock())
            alerts.notify("dead_letter", "events died")

            async def got_it() -> bool:
                """On a busy machine a post's time may be over before it is connected."""
                clock.now += 300
                alerts.send_due()
                return not got.empty()

            await until(got_it)
            await alerts.close()

    asyncio.run(run())
    assert said(caplog).count("alert") == said(caplog).count("the webhook did not take an alert") >= 1


def test_a_body_without_end_is_not_read(caplog: pytest.LogCaptureFixture) -> None:
    before = went_out()

    async def run() -> None:
        async with slow_webhook(BODY_WITHOUT_END) as (url, _):
            alerts = Alerts(Settings(alert_webhook_url=url), Clock())
            alerts.notify("dead_letter", "events died")
            await alerts.close()

    asyncio.run(run())
    assert went_out() == before + 1
    assert said(caplog) == ["alert"]


def test_no_post_holds_up_a_line_of_the_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert, "CLOSE_S", 0.2)

    async def run() -> None:
        async with slow_webhook(HEAD_WITHOUT_END) as (url, got):
            alerts = Alerts(Settings(alert_webhook_url=url), Clock())
            alerts.notify("dead_letter", "events died")
            await asyncio.wait_for(got.get(), 10)
            alerts.notify("dead_letter", "events died", 2)
            await alerts.close()  # though the first post is under way

    asyncio.run(run())
    assert said(caplog) == ["alert", "alert"]


@pytest.mark.parametrize("url", ["http://host:port", "http://127.0.0.1:99999"])
def test_an_address_that_nobody_can_post_to_ends_no_task(caplog: pytest.LogCaptureFixture, url: str) -> None:
    async def run() -> None:
        alerts = Alerts(Settings(alert_webhook_url=url), Clock())
        alerts.notify("dead_letter", "events died")
        await alerts.close()

    asyncio.run(run())
    assert said(caplog) == ["alert", "the webhook did not take an alert"]


@pytest.mark.slow
def test_what_is_buried_while_a_worker_stops_is_told_too(
    settings: Settings, admin: psycopg.Connection[Any], webhook: Webhook
) -> None:
    admin.execute(REFUSE.format(code="22023"))
    slow = msgspec.structs.replace(settings, attempt_timeout_s=10.0, lease_s=20.0)

    async def waits() -> bool:
        admin.execute("select pg_stat_clear_snapshot()")  # else a transaction sees what it saw before
        burial = "wait_event_type = 'Lock' and query like '%insert into audit_dead_letter%'"
        found = admin.execute(f"select count(*) from pg_stat_activity where {burial}")
        return found.fetchone() != (0,)

    async def run() -> None:
        async with worker(slow, alert_webhook_url=webhook.url) as one:
            with admin.transaction():
                admin.execute("lock table audit_dead_letter in share mode")
                await enqueue(settings, (0, {"action": "poison"}))
                await until(waits)
                stopping = asyncio.create_task(one.stop())
                await asyncio.sleep(0.5)
            await stopping
        assert (await webhook.next()).kind == "dead_letter"

    asyncio.run(run())


@pytest.mark.slow
def test_a_worker_alerts_of_its_dead_of_too_many_and_of_its_breaker(
    settings: Settings, admin: psycopg.Connection[Any], postgres_link: Link, webhook: Webhook
) -> None:
    admin.execute(REFUSE.format(code="22023"))
    changes = {
        "alert_webhook_url": webhook.url,
        "dead_letter_alert_threshold": 2,
        "database_url": postgres_link.through(settings.database_url),
    }

    async def run() -> list[Alert]:
        async with worker(settings, **changes) as one:
            await enqueue(settings, *((0, {"action": "poison secret-18"}) for _ in range(3)))
            alerts = [await webhook.next(), await webhook.next()]
            postgres_link.cut()

            async def is_open() -> bool:
                return one.breaker.state == OPEN

            await until(is_open)
            alerts.append(await webhook.next())
        return alerts

    alerts = asyncio.run(run())
    rest = [webhook.received.get() for _ in range(webhook.received.qsize())]  # what the cool-down held, told at the end
    assert {alert.kind for alert in alerts} == {"dead_letter", "dead_letters_past_threshold", "breaker_open"}
    assert sum(alert.count for alert in alerts + rest if alert.kind == "dead_letter") == 3
    assert sum(alert.kind == "dead_letters_past_threshold" for alert in alerts + rest) == 1
    assert "secret-18" not in str(alerts)
