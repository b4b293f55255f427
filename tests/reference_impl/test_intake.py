"""The intake: 202 only for what the queue has, 503 only for what it certainly has not, 504 when nobody knows."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from reference_impl.errors import NotAcknowledged, SettingsError
from reference_impl.ingest.app import app
from reference_impl.ingest.intake import Intake
from reference_impl.queue import streams
from reference_impl.settings import Settings
from tests.conftest import Servers
from tests.reference_impl.conftest import Link, until, wire


@asynccontextmanager
async def intake(settings: Settings, connected: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """An ASGI client of a running intake."""
    one = Intake(settings, asyncio.sleep)
    tasks = [asyncio.create_task(run()) for run in (one.monitor.run, *one.tasks)]

    async def ready() -> bool:
        return one.pipeline.lanes > 0 and one.presets.looked.is_set()

    transport = httpx.ASGITransport(app(one, settings))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            if connected:
                await until(ready)
            yield client
    finally:  # also when a test fails: asyncio.run would wait for ever for a task that goes on
        while not all(task.done() for task in tasks):  # Python 3.11's wait_for, within redis-py, may swallow one cancel
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.5)
        await asyncio.gather(*tasks, return_exceptions=True)
        await one.pipeline.redis.aclose()


def settings_of(servers: Servers, **changes: Any) -> Settings:
    return Settings(**{"redis_url": servers.redis_url, "enqueue_timeout_s": 20.0, **changes})


async def queued(servers: Servers) -> list[str]:
    redis = Redis.from_url(servers.redis_url, decode_responses=True)
    entries = [e for lane in range(5) for e in await redis.xrange(streams.key(lane))]  # type: ignore[union-attr]
    await redis.aclose()
    return [fields["event_id"] for _, fields in entries]  # type: ignore[index, misc]


def run(settings: Settings, do: Callable[[httpx.AsyncClient], Awaitable[Any]], connected: bool = True) -> Any:
    async def whole() -> Any:
        async with intake(settings, connected) as client:
            return await do(client)

    return asyncio.run(whole())


def test_an_acknowledged_event_is_in_the_queue(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(*(client.post("/events", content=wire()) for _ in range(200)))
        assert {a.status_code for a in answers} == {202}
        assert sorted(a.json()["eventId"] for a in answers) == sorted(await queued(servers))

    run(settings_of(servers), do)


def test_an_organization_has_one_lane_and_the_queue_keeps_its_order(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        sent = [(await client.post("/events", content=wire())).json()["eventId"] for _ in range(30)]
        assert await queued(servers) == sent

    run(settings_of(servers), do)


def test_a_refusal_names_the_member_and_nothing_is_queued(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        answer = await client.post("/events", content=wire(status="done"))
        assert (answer.status_code, answer.json()["field"]) == (422, "status")
        large = await client.post("/events", content=wire(note="x" * 300_000))
        assert large.status_code == 413
        assert (await client.get("/events")).status_code == 405
        assert (await client.post("/elsewhere", content=b"{}")).status_code == 404
        assert await queued(servers) == []

    run(settings_of(servers), do)


def test_every_limit_is_a_clear_refusal(servers: Servers) -> None:
    settings = settings_of(servers, max_event_bytes=1000, max_batch_bytes=5000, max_batch_events=20, max_depth=5)
    too_deep = wire(a=[[[[[]]]]])

    async def do(client: httpx.AsyncClient) -> None:
        for path, body, status, said in [
            ("/events", wire(note="x" * 1000), 413, "at most 1000 bytes"),
            ("/events", too_deep, 422, "at most 5 objects and arrays"),
            ("/events/batch", b"\n".join([wire()] * 40), 413, "at most 5000 bytes"),
            ("/events/batch", b"{}\n" * 21, 413, "at most 20 lines"),
            ("/events/batch", b"\n".join([b"{}"] * 21), 413, "at most 20 lines"),
        ]:
            answer = await client.post(path, content=body)
            assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text
        for most in (b"{}\n" * 20, b"\n".join([b"{}"] * 20)):
            assert (await client.post("/events/batch", content=most)).status_code == 207
        alone = await client.post("/events/batch", content=b"\n".join([wire(note="x" * 1000), wire()]))
        assert [msgspec.json.decode(line)["status"] for line in alone.content.splitlines()] == [413, 202]

    run(settings, do)


def test_the_deepest_event_that_a_setting_allows_is_accepted(servers: Servers) -> None:
    most = max(depth for depth in range(1, 1000) if _allowed(depth))
    deep = wire(details="HERE").replace(b'"HERE"', b'{"a":' * (most - 1) + b"null" + b"}" * (most - 1))

    async def do(client: httpx.AsyncClient) -> None:
        assert (await client.post("/events", content=deep)).status_code == 202

    run(settings_of(servers, max_depth=most), do)


def _allowed(depth: int) -> bool:
    with suppress(SettingsError):
        return bool(Settings.read({"MAX_DEPTH": f"{depth}"}))
    return False


def test_what_all_requests_hold_is_bounded(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(*(client.post("/events", content=wire(note="x" * 400)) for _ in range(20)))
        refused = [a for a in answers if a.status_code == 503]
        assert refused
        assert all("bytes of events are under way" in a.json()["error"] for a in refused)
        assert {a.headers["retry-after"] for a in refused} == {"1"}
        assert (await client.post("/events", content=wire())).status_code == 202  # nothing is held any more

    run(settings_of(servers, max_in_flight_bytes=3000), do)


def test_events_ask_for_the_token_and_what_watches_does_not(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        for headers in ({}, {"authorization": "Bearer other"}, {"authorization": "secret"}):
            for path in ("/events", "/events/batch"):
                answer = await client.post(path, content=wire(), headers=headers)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        for path in ("/health", "/metrics"):
            assert (await client.get(path)).status_code == 200
        answer = await client.post("/events", content=wire(), headers={"authorization": "Bearer secret"})
        assert answer.status_code == 202
        assert len(await queued(servers)) == 1

    run(settings_of(servers, bearer_token="secret"), do)


def test_a_batch_answers_for_each_of_its_lines(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        lines = [wire(), b"{", wire(action=...), wire()]
        answer = await client.post("/events/batch", content=b"\n".join(lines) + b"\n")
        assert answer.status_code == 207
        answers = [msgspec.json.decode(line) for line in answer.content.splitlines()]
        assert [a["status"] for a in answers] == [202, 400, 422, 202]
        assert len(await queued(servers)) == 2

    run(settings_of(servers), do)


def test_while_the_queue_is_away_intake_refuses_and_health_is_zero(servers: Servers, redis_link: Link) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        answer = await client.post("/events", content=wire())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await client.get("/health")).json()["healthScore"] == 0
        assert (await client.get("/metrics")).status_code == 200
        redis_link.mend()

        async def accepted() -> bool:
            return (await client.post("/events", content=wire())).status_code == 202

        await until(accepted)
        assert len(await queued(servers)) == 1

    redis_link.cut()
    run(settings_of(servers, redis_url=redis_link.through(servers.redis_url)), do, connected=False)


def test_a_queue_that_falls_silent_makes_the_outcome_unknown(servers: Servers, redis_link: Link) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        redis_link.silence()
        answers = await asyncio.gather(*(client.post("/events", content=wire()) for _ in range(5)))
        assert {a.status_code for a in answers} == {504}
        assert (await client.post("/events", content=wire())).status_code == 503  # not connected: certain again

    through = redis_link.through(servers.redis_url)
    run(settings_of(servers, redis_url=through, enqueue_timeout_s=0.5), do)


def test_a_heartbeat_that_is_not_ours_is_nobodys(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        async with Redis.from_url(servers.redis_url) as redis:
            await redis.set("intake:worker:stranger", "no JSON")
            await redis.sadd(streams.WORKERS, "stranger")
        await asyncio.sleep(0.6)

        async def looks_on() -> bool:
            told = (await client.get("/health")).json()
            return bool(told["queueDepth"] == 1 and told["workers"] == [])

        await client.post("/events", content=wire())
        await until(looks_on)

    run(settings_of(servers), do)


def test_a_full_queue_refuses(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        async def refused() -> httpx.Response | None:
            answered = await client.post("/events", content=wire())
            return None if answered.status_code == 202 else answered

        answered = await until(refused)
        assert (answered.status_code, answered.headers["retry-after"]) == (503, "1")
        assert len(await queued(servers)) >= 3

    run(settings_of(servers, queue_bound=3), do)


@pytest.mark.parametrize(
    "line",
    [
        b'{"note":[1e-7]}',
        b'{"a":1,"a":2}',
        b'{"a":"\\u0000"}',
        b'{"a":' + b"9" * 400 + b"}",
        b'{"a":"\xff"}',
        b'{"a":' + b"[" * 90 + b"]" * 90 + b"}",
        b"[]",
        b"{",
        wire(eventId="17"),
        wire(timestamp="2026-02-30T10:15:02Z"),
        wire(action="a" * 2000),
        wire(),  # 503: there is no queue
    ],
)
def test_what_is_not_accepted_leaves_no_cycle_to_collect(line: bytes) -> None:
    async def do() -> int:
        one = Intake(Settings(redis_url="redis://127.0.0.1:1"), asyncio.sleep)
        one.presets.looked.set()
        for _ in range(3):  # the thread holds the last batch's results
            async for results in one.add_many([line] * 100):
                assert all(isinstance(result, NotAcknowledged) for result in results)
        return gc.collect()

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(do()) < 100
    finally:
        gc.enable()
