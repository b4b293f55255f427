"""Collisions: tried again, and whose fault they are: the store's, or one event's."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from reference_impl.delivery.worker import Worker
from reference_impl.resilience.circuit_breaker import CLOSED, HALF_OPEN, OPEN
from reference_impl.settings import Settings
from tests.reference_impl.conftest import until
from tests.reference_impl.test_store import REFUSE, stored
from tests.reference_impl.test_worker import _holds, _state, count, enqueue, worker


async def dead(admin: psycopg.Connection[Any], expected: int) -> bool:
    return admin.execute("select count(*) from audit_dead_letter").fetchone() == (expected,)


async def _seen(one: Worker, transition: tuple[str, str]) -> bool:
    return transition in [(t.from_, t.to) for t in one.transitions.seen]


def test_an_event_that_always_collides_is_buried_after_its_retries(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(REFUSE.format(code="40001"))

    async def run() -> None:
        async with worker(settings, max_retries=2, breaker_failure_threshold=50) as one:
            await until(lambda: _holds(one, 5))
            await enqueue(settings, (0, {"action": "fine"}), (0, {"action": "poison"}), (0, {"action": "also fine"}))
            await until(lambda: count(admin, 2))

    asyncio.run(run())
    assert admin.execute("select attempts from audit_dead_letter").fetchall() == [(3,)]


def test_an_event_that_always_collides_opens_no_breaker_and_holds_up_no_other_lane(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(REFUSE.format(code="40001"))

    async def run() -> None:
        async with worker(settings, max_retries=4, breaker_failure_threshold=2) as one:
            await until(lambda: _holds(one, 5))
            await enqueue(settings, *((0, {"action": action}) for action in ("poison", "behind it")))
            await until(lambda: dead(admin, 1))
            await enqueue(settings, (1, {"action": "elsewhere"}))
            await until(lambda: count(admin, 2))
            assert [t.to for t in one.transitions.seen] == [CLOSED]

    asyncio.run(run())
    assert admin.execute("select attempts from audit_dead_letter").fetchall() == [(5,)]


def test_a_trial_passes_although_the_deepest_lane_begins_with_an_event_that_always_collides(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(REFUSE.format(code="40001"))

    async def run() -> None:
        async with worker(settings, max_retries=1000, retry_base_s=0.2, breaker_failure_threshold=2) as one:
            await until(lambda: _holds(one, 5))
            with admin.transaction():
                admin.execute("lock table audit_log")
                deep = [(0, {"action": action}) for action in ("poison", *"abcdef")]
                await enqueue(settings, *deep, (1, {"action": "elsewhere"}))
                await until(lambda: _state(one, OPEN))
            await until(lambda: _state(one, CLOSED))
            await until(lambda: count(admin, 1))

    asyncio.run(run())
    assert [event["action"] for _, event in stored(admin)] == ["elsewhere"]


@pytest.mark.slow
def test_a_locked_table_opens_the_breaker_and_a_beat_does_not_close_it(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        async with worker(settings, concurrency=2, attempt_timeout_s=0.4) as one:
            await until(lambda: _holds(one, 2))
            with admin.transaction():
                admin.execute("lock table audit_log")
                await enqueue(settings, (0, {}))
                await until(lambda: _state(one, OPEN))
                await until(lambda: _seen(one, (HALF_OPEN, OPEN)))
                assert (HALF_OPEN, CLOSED) not in [(t.from_, t.to) for t in one.transitions.seen]
            await until(lambda: count(admin, 1))

    asyncio.run(run())
