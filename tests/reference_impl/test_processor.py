"""The processor as a library: with its store, with a handler of the user's own, while servers are unavailable."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from redis.asyncio import Redis

from reference_impl.dead_letters.replay import Outcome
from reference_impl.errors import RefusedError, StoreError, TemporarilyUnavailable
from reference_impl.processor import ReliableEventProcessor
from reference_impl.queue import streams
from reference_impl.settings import Settings
from reference_impl.store.handler import Handler
from tests.reference_impl.conftest import Link, until
from tests.reference_impl.test_store import REFUSE

EXAMPLES = Path(__file__).parents[2] / "examples" / "reference"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """`start` waits that long for the queue and the presets, on a busy machine more than the others' one second."""
    return msgspec.structs.replace(settings, connect_timeout_s=20.0)


def one(**members: Any) -> dict[str, Any]:
    return {"timestamp": datetime.now(UTC), "action": "login", "status": "success", **members}


def run(
    settings: Settings, do: Callable[[ReliableEventProcessor], Awaitable[None]], handle: Handler | None = None
) -> None:
    async def whole() -> None:
        async with ReliableEventProcessor(settings, handle) as processor:
            await do(processor)

    asyncio.run(whole())


def test_an_added_event_is_stored(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    async def do(processor: ReliableEventProcessor) -> None:
        ids = [await processor.add_event(one())]
        with pytest.raises(RefusedError):
            await processor.add_event({"action": "login"})

        async def stored() -> bool:
            return [str(event_id) for (event_id,) in admin.execute("select event_id from audit_log")] == ids

        async def healthy() -> bool:
            return processor.health_status().health_score == 100

        await until(stored)
        await until(healthy)

    run(settings, do)


@pytest.mark.slow
@pytest.mark.parametrize("value", [math.nan, math.inf, {"deep": [1, (2, -math.inf)]}])
def test_a_number_that_is_none_is_refused_by_its_member(settings: Settings, value: object) -> None:
    async def do(processor: ReliableEventProcessor) -> None:
        with pytest.raises(RefusedError, match="numbers that a double can hold") as error:
            await processor.add_event(one(principalId=None, pulse=value))
        assert (error.value.field, error.value.status) == ("pulse", 422)
        assert await processor.add_event(one(principalId=None, pulse=(1.5, None)))

    run(settings, do)


def test_cold_start_refuses_until_the_queue_is_there_and_stores_once_the_store_is(
    settings: Settings, admin: psycopg.Connection[Any], redis_link: Link, postgres_link: Link
) -> None:
    redis_link.cut()
    postgres_link.cut()
    away = msgspec.structs.replace(
        settings,
        redis_url=redis_link.through(settings.redis_url),
        database_url=postgres_link.through(settings.database_url),
        connect_timeout_s=0.3,
    )

    async def do(processor: ReliableEventProcessor) -> None:
        with pytest.raises(TemporarilyUnavailable):
            await processor.add_event(one())
        assert processor.health_status().health_score == 0
        redis_link.mend()

        async def added() -> bool:
            try:
                return bool(await processor.add_event(one()))
            except TemporarilyUnavailable:
                return False

        async def count() -> bool:
            return admin.execute("select count(*) from audit_log").fetchone() == (1,)

        await until(added)
        postgres_link.mend()
        await until(count)

    run(away, do)


def test_a_dead_letter_is_replayed_once_however_often_it_is_asked(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(REFUSE.format(code="22023"))

    async def do(processor: ReliableEventProcessor) -> None:
        event_id = await processor.add_event(one(action="poison"))

        async def dead() -> bool:
            return admin.execute("select count(*) from audit_dead_letter").fetchone() == (1,)

        await until(dead)
        assert await processor.replay(event_id) is Outcome.REFUSED
        admin.execute("drop trigger refuse on audit_log")
        assert await asyncio.gather(*(processor.replay(event_id) for _ in range(3))) == [Outcome.STORED] * 3
        assert await processor.replay(uuid.uuid4()) is Outcome.ABSENT
        admin.execute("alter table audit_dead_letter rename to elsewhere")
        with pytest.raises(StoreError):
            await processor.replay(event_id)
        admin.execute("alter table elsewhere rename to audit_dead_letter")

    run(settings, do)
    assert admin.execute("select count(*) from audit_log").fetchone() == (1,)


def test_an_event_that_is_being_added_gets_its_answer_when_told_to_stop(settings: Settings) -> None:
    async def whole() -> str:
        processor = ReliableEventProcessor(settings)
        await processor.start()
        async with Redis.from_url(settings.redis_url) as redis:
            await redis.client_pause(300)
            adding = asyncio.create_task(processor.add_event(one()))
            await asyncio.sleep(0.1)
            await processor.stop()
        return await adding

    assert asyncio.run(whole())


def test_stop_raises_what_a_part_ended_by(settings: Settings) -> None:
    async def whole() -> None:
        async with Redis.from_url(settings.redis_url) as redis:
            await redis.set(streams.LANES, "no number")
        processor = ReliableEventProcessor(
            msgspec.structs.replace(settings, connect_timeout_s=1)
        )  # as long as it waits
        await processor.start()

        async def has_ended() -> bool:
            return processor._worker.stopping.is_set()

        await until(has_ended)
        with pytest.raises((TypeError, ValueError)):
            await processor.stop()
        with pytest.raises(TemporarilyUnavailable):
            await processor.add_event(one())

    asyncio.run(whole())


@pytest.mark.slow
def test_stop_gives_back_within_its_grace_what_is_not_committed(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    slow = msgspec.structs.replace(settings, attempt_timeout_s=30, stop_grace_s=0.2)
    began = 0.0

    async def do(processor: ReliableEventProcessor) -> None:
        nonlocal began
        await processor.add_event(one())

        async def waiting() -> bool:
            found = admin.execute("select count(*) from pg_locks where not granted and locktype = 'relation'")
            return found.fetchone() != (0,)

        await until(waiting)
        began = time.monotonic()

    with admin.transaction():
        admin.execute("lock table audit_log")
        run(slow, do)
        assert time.monotonic() - began < 20  # tolerance: a busy machine; the statement's own time-out is 27 s
    assert admin.execute("select count(*) from audit_log").fetchone() == (0,)

    async def again(_: ReliableEventProcessor) -> None:
        async def stored() -> bool:
            return admin.execute("select count(*) from audit_log").fetchone() == (1,)

        await until(stored)

    run(settings, again)


@pytest.mark.slow
@pytest.mark.parametrize(("example", "said"), [("ten_lines", "accepted"), ("own_handler", "handled login")])
def test_an_example_does_what_it_says(settings: Settings, example: str, said: str, tmp_path: Path) -> None:
    given = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "STATE_DIR": str(tmp_path)}
    paths = {"PYTHONPATH": str(EXAMPLES.parents[1]), "PATH": os.environ["PATH"]}
    command = [sys.executable, str(EXAMPLES / f"{example}.py")]
    ended = subprocess.run(command, env={**given, **paths}, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0, ended.stderr
    assert said in ended.stdout
