"""The intake of the Python alternatives: which answer means what."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from alternatives.common import intake
from alternatives.common.intake import NotSent
from tests.alternatives.test_event import GOOD
from tests.conftest import Servers


def post(enqueue: intake.Enqueue, body: bytes) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(intake.application(enqueue))
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
            return await client.post("/events", content=body)

    return asyncio.run(ask())


def send(enqueue: intake.Enqueue, **members: Any) -> httpx.Response:
    return post(enqueue, json.dumps(GOOD | members).encode())


def test_accepted_only_once_the_library_has_returned(servers: Servers) -> None:
    queue = redis.Redis.from_url(servers.redis_url)
    answer = send(lambda event: queue.rpush("q", json.dumps(event)))
    assert (answer.status_code, answer.json()) == (202, {"eventId": GOOD["eventId"]})
    assert [json.loads(entry) for entry in queue.lrange("q", 0, -1)] == [GOOD]


def test_a_library_on_asyncio_is_awaited() -> None:
    taken: list[dict[str, Any]] = []

    async def enqueue(event: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        taken.append(event)

    assert send(enqueue).status_code == 202
    assert taken == [GOOD]


def test_what_is_malformed_is_refused_by_name_and_not_enqueued() -> None:
    taken: list[dict[str, Any]] = []
    answer = send(taken.append, status="done")
    assert (answer.status_code, answer.json()["field"], taken) == (422, "status", [])


def test_what_is_too_large_is_refused() -> None:
    assert post(lambda _: None, b" " * (intake.MAX_BYTES + 1)).status_code == 413


def test_a_broker_that_did_not_say_is_not_known_and_one_that_was_never_reached_refused() -> None:
    def silent(_: dict[str, Any]) -> None:
        raise TimeoutError

    def away(_: dict[str, Any]) -> None:
        raise NotSent

    assert send(silent).status_code == 504
    assert (answer := send(away)).status_code == 503
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(("port", "certain"), [(1, True), (None, False)])
def test_only_a_refused_connection_is_certain(servers: Servers, port: int | None, certain: bool) -> None:
    once = Retry(NoBackoff(), 0)
    client = redis.Redis(port=port, retry=once) if port else redis.Redis.from_url(servers.redis_url)
    with pytest.raises(redis.RedisError) as raised:
        client.execute_command("NOSUCH")
    assert intake.refused(raised.value) is certain


def test_health_is_there() -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(intake.application(lambda _: None))
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
            return await client.get("/health")

    assert asyncio.run(ask()).json() == {"healthScore": 100}
