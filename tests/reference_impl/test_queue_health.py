"""Health of the queue: what the intake tells of a server that evicts, is full, is not durable, or has lost events."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from redis.asyncio import Redis

from reference_impl.operations.health import HealthMonitor, Status
from reference_impl.queue import streams
from tests.conftest import Servers
from tests.reference_impl.conftest import Link, until, wire
from tests.reference_impl.test_intake import intake, run, settings_of


def test_a_queue_that_could_evict_is_not_trusted(servers: Servers) -> None:
    async def policy(name: str) -> None:
        redis = Redis.from_url(servers.redis_url)
        await redis.config_set("maxmemory-policy", name)
        await redis.aclose()

    async def do(client: httpx.AsyncClient) -> None:
        async def health(score: int) -> bool:
            return bool((await client.get("/health")).json()["healthScore"] == score)

        await until(lambda: health(50))  # no worker
        try:
            await policy("allkeys-lru")
            await until(lambda: health(0))
            answer = await client.post("/events", content=wire())
            assert (answer.status_code, "noeviction" in answer.json()["error"]) == (503, True)
        finally:
            await policy("noeviction")
        await until(lambda: health(50))
        assert (await client.post("/events", content=wire())).status_code == 202

    run(settings_of(servers), do)


def test_a_queue_that_is_not_durable_is_told_of(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    async def tells() -> bool:
        async with intake(settings_of(servers)):
            return "not durable" in caplog.text

    async def run() -> list[bool]:
        told = [await tells()]
        async with Redis.from_url(servers.redis_url) as redis:
            try:
                await redis.config_set("appendonly", "no")
                return [*told, await tells()]
            finally:
                await redis.config_set("appendonly", "yes")

    assert asyncio.run(run()) == [False, True]


def test_a_server_out_of_memory_certainly_has_not_taken_it(servers: Servers) -> None:
    async def limit(size: int) -> None:
        redis = Redis.from_url(servers.redis_url)
        await redis.config_set("maxmemory", size)
        await redis.aclose()

    async def do(client: httpx.AsyncClient) -> None:
        async def health(score: int) -> bool:
            return bool((await client.get("/health")).json()["healthScore"] == score)

        try:
            await limit(1)
            answer = await client.post("/events", content=wire())
            assert (answer.status_code, "OOM" in answer.json()["error"]) == (503, True)
            await until(lambda: health(0))
        finally:
            await limit(0)
        await until(lambda: health(50))  # no worker

    run(settings_of(servers), do)


def test_a_queue_that_has_lost_what_it_acknowledged_is_told_of(servers: Servers, redis_link: Link) -> None:
    """As after a power loss: the stream's last id is older than the last one that the intake has seen."""

    async def do(client: httpx.AsyncClient) -> None:
        async def losses() -> tuple[int, list[str]]:
            async with Redis.from_url(servers.redis_url, decode_responses=True) as redis:
                return int(await redis.get(streams.LOSSES) or 0), [str(key) for key in await redis.keys("events:*")]

        async def takes() -> bool:
            return (await client.post("/events", content=wire(organizationId="o"))).status_code == 202

        async def reconnect(lost: str = "") -> None:
            redis_link.cut()
            async with Redis.from_url(servers.redis_url) as redis:
                await redis.delete(lost)
            redis_link.mend()
            await until(takes)

        async def health_tells() -> bool:
            return bool((await client.get("/health")).json()["queueLosses"] == 1)

        assert await takes()
        await reconnect()
        count, [lane] = await losses()
        assert count == 0
        await reconnect(lane)
        await until(health_tells)
        await reconnect()
        assert await losses() == (1, [lane])

    run(settings_of(servers, redis_url=redis_link.through(servers.redis_url)), do)


def test_health_forgets_no_loss_while_the_queue_is_unavailable(servers: Servers, redis_link: Link) -> None:
    settings = settings_of(servers, redis_url=redis_link.through(servers.redis_url))

    async def run() -> Status:
        async with streams.connect(settings.redis_url, 5.0) as redis:
            await redis.incr(streams.LOSSES)
            monitor = HealthMonitor(settings, redis, asyncio.sleep)
            await monitor.poll()
            redis_link.cut()
            await monitor.poll()
            return monitor.status()

    told = asyncio.run(run())
    assert (told.health_score, told.queue_losses) == (0, 1)
