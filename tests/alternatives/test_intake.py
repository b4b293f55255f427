"""The intake of the Python alternatives: which answer means what."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import redis

from alternatives.common import intake
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


def test_a_broker_that_did_not_say_is_not_known() -> None:
    def silent(_: dict[str, Any]) -> None:
        raise TimeoutError

    assert send(silent).status_code == 504


def test_health_is_there() -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(intake.application(lambda _: None))
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
            return await client.get("/health")

    assert asyncio.run(ask()).json() == {"healthScore": 100}


class Graveyard:
    """Three dead letters, or a broker that is unavailable."""

    def __init__(self, away: bool = False) -> None:
        self.away = away

    def count(self) -> int:
        if self.away:
            raise ConnectionError
        return 3

    def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
        return [{"event_id": str(n), "event": GOOD} for n in range(3)][offset : offset + limit]


def ask_for_dead_letters(graveyard: Graveyard, **asked: int) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(intake.application(lambda _: None, dead_letters=graveyard))
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
            return await client.get("/dead-letters", params=asked)

    return asyncio.run(ask())


@pytest.mark.parametrize(("asked", "ids"), [({}, "012"), ({"offset": 1, "limit": 1}, "1"), ({"limit": 0}, "")])
def test_dead_letters_are_told_in_pages_with_their_number(asked: dict[str, int], ids: str) -> None:
    answer = ask_for_dead_letters(Graveyard(), **asked)
    assert [json.loads(line)["event_id"] for line in answer.text.splitlines()] == list(ids)
    assert answer.headers["Total-Count"] == "3"


def test_dead_letters_that_cannot_be_told_are_an_error() -> None:
    assert ask_for_dead_letters(Graveyard(away=True)).status_code == 503
