"""Workers and lanes: shares, takeover, order, outages, and that nothing is sent while the breaker is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
import pytest
from redis.asyncio import Redis

from reference_impl.delivery import lease as lock
from reference_impl.delivery.assignment import fair_share
from reference_impl.delivery.worker import Worker
from reference_impl.queue import streams
from reference_impl.resilience.circuit_breaker import CLOSED, HALF_OPEN, OPEN
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.connections import shutdown_socket
from tests.reference_impl.conftest import Link, entry, until
from tests.reference_impl.test_store import REFUSE, stored

#: Beyond a lease, for a machine that is busy.
BUSY_S = 20


@asynccontextmanager
async def worker(settings: Settings, **changes: Any) -> AsyncIterator[Worker]:
    one = Worker(msgspec.structs.replace(settings, **changes))
    one.start()
    try:
        yield one
    finally:
        await one.stop()


async def enqueue(settings: Settings, *lanes_and_members: tuple[int, dict[str, Any]]) -> list[str]:
    """Add events to lanes as the intake does; returns their ids."""
    redis = Redis.from_url(settings.redis_url)
    ids = []
    async with redis.pipeline(transaction=False) as pipe:
        for lane, members in lanes_and_members:
            one = entry(**members)
            pipe.xadd(streams.key(lane), dict(zip(one.fields[::2], one.fields[1::2], strict=True)))
            ids.append(one.field("event_id"))
        await pipe.execute()
    await redis.aclose()
    return ids


async def count(admin: psycopg.Connection[Any], expected: int) -> bool:
    return admin.execute("select count(*) from audit_log").fetchone() == (expected,)


async def empty(settings: Settings) -> bool:
    redis = Redis.from_url(settings.redis_url)
    depth = sum(await streams.depths(redis, settings.concurrency))
    await redis.aclose()
    return depth == 0


@pytest.mark.parametrize(
    ("lanes", "workers", "share"), [(5, 1, 5), (5, 2, 3), (5, 5, 1), (5, 9, 1), (1, 2, 1), (6, 0, 6)]
)
def test_fair_share(lanes: int, workers: int, share: int) -> None:
    assert fair_share(lanes, workers) == share


def test_what_is_queued_is_stored_in_order_and_leaves_the_queue(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> list[str]:
        ids = await enqueue(settings, *((0, {"action": f"{n}"}) for n in range(250)))
        async with worker(settings, batch_size=100):
            await until(lambda: count(admin, 250))
            await until(lambda: empty(settings))
        return ids

    assert asyncio.run(run()) == [event_id for event_id, _ in stored(admin)]


def test_two_workers_share_the_lanes_and_the_other_takes_over(settings: Settings) -> None:
    async def run() -> None:
        async with worker(settings) as one:
            await until(lambda: _holds(one, 5))
            async with worker(settings, process="worker-2") as two:
                await until(lambda: _holds(one, 3))
                await until(lambda: _holds(two, 2))
                assert not set(one.lanes.held) & set(two.lanes.held)
            await until(lambda: _holds(one, 5))

    asyncio.run(run())


async def _holds(one: Worker, lanes: int) -> bool:
    return len(one.lanes.held) == lanes


def test_a_holder_silent_in_the_middle_of_a_copy_is_ended_by_a_waiter(settings: Settings) -> None:
    async def run() -> float:
        plain = msgspec.structs.replace(settings, attempt_timeout_s=60)
        frozen = await connections.connect(plain)
        assert await lock.try_acquire(frozen, range(5)) == 0
        await frozen.execute("create temp table t (a int)")
        frozen.pgconn.send_query(b"copy t from stdin")
        begun = time.monotonic()
        async with worker(settings) as one:
            await until(lambda: _holds(one, 5))
        took = time.monotonic() - begun
        shutdown_socket(frozen)
        await frozen.close()
        return took

    assert asyncio.run(run()) <= settings.lease_s + BUSY_S  # its statement's time-out is 60 s


def test_the_lease_of_a_holder_frozen_in_a_long_statement_begins_with_it(settings: Settings) -> None:
    """It waits half a lease for a lock, say; then for half a lease nothing comes from it."""

    async def run() -> int:
        holder, waiter = await connections.connect(settings), await connections.connect(settings)
        await lock.try_acquire(holder, range(5))
        async with holder.transaction():
            began = time.monotonic()
            await holder.execute("select pg_sleep(0.5)")
            assert await lock.terminate_stale_holder(waiter, range(5), lease_s=30) == 0
            ended = await lock.terminate_stale_holder(waiter, range(5), lease_s=0.6)
            assert time.monotonic() - began < 1 or ended  # a busy machine makes it only more silent
            await connections.close(holder)
        await connections.close(waiter)
        return ended

    assert asyncio.run(run()) == 1


def test_an_idle_holder_is_freed_within_the_lease(settings: Settings) -> None:
    async def run() -> float:
        frozen = await connections.connect(settings)
        await lock.try_acquire(frozen, range(5))
        begun = time.monotonic()
        async with worker(settings) as one:
            await until(lambda: _holds(one, 5))
        took = time.monotonic() - begun
        await connections.close(frozen)
        return took

    assert asyncio.run(run()) <= settings.lease_s + BUSY_S


def test_sessions_that_are_terminated_lose_and_double_nothing(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        async with worker(settings) as one:
            await until(lambda: _holds(one, 5))
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            await enqueue(settings, *((n % 5, {}) for n in range(50)))
            await until(lambda: empty(settings))
            assert await count(admin, 50)  # nothing is under way any more

    asyncio.run(run())


def test_the_breaker_opens_sends_nothing_and_recovers(
    settings: Settings, admin: psycopg.Connection[Any], postgres_link: Link
) -> None:
    through = {"database_url": postgres_link.through(settings.database_url), "breaker_recovery_timeout_s": 1.5}

    async def sessions() -> int:
        found = admin.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        return int((found.fetchone() or (0,))[0])

    async def run() -> None:
        async with worker(settings, **through) as one:
            await until(lambda: _holds(one, 5))
            postgres_link.cut()
            await enqueue(settings, *((n % 5, {"action": f"{n}"}) for n in range(20)))
            await until(lambda: _state(one, OPEN))
            postgres_link.mend()
            assert one.lanes.held == [] or await until(lambda: _holds(one, 0))
            assert one.breaker.state == OPEN
            assert await sessions() == 0
            assert (await _status(one, 60)).circuit_breaker_state == OPEN
            await until(lambda: count(admin, 20))
            await until(lambda: _state(one, CLOSED))
            await until(lambda: _scores(one, 71))
            states = [(t.from_, t.to) for t in one.transitions.seen]
            assert states[:2] == [(None, CLOSED), (CLOSED, OPEN)]
            assert states[-2:] == [(OPEN, HALF_OPEN), (HALF_OPEN, CLOSED)]

    asyncio.run(run())


async def _state(one: Worker, state: str) -> bool:
    return one.breaker.state == state


async def _scores(one: Worker, least: int) -> bool:
    return one.monitor.status().health_score >= least


async def _status(one: Worker, most: int) -> Any:
    async def found() -> Any:
        now = one.monitor.status()
        return now if now.health_score <= most else None

    return await until(found)


def test_poison_goes_to_the_dead_letters_and_holds_up_nobody(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(REFUSE.format(code="22023"))

    async def run() -> None:
        await enqueue(settings, *((0, {"action": "poison" if n % 7 == 0 else f"{n}"}) for n in range(50)))
        async with worker(settings) as one:
            await until(lambda: count(admin, 42))
            await until(lambda: empty(settings))
            assert one.breaker.state == CLOSED
            assert [t.to for t in one.transitions.seen] == [CLOSED]

            async def eight_dead() -> bool:
                return one.monitor.status().dead_letter_count == 8

            await until(eight_dead)

    asyncio.run(run())
    assert [int(event["action"]) for _, event in stored(admin)] == [n for n in range(50) if n % 7]


def test_foreign_entries_do_not_hold_up_a_lane(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    async def run() -> None:
        redis = Redis.from_url(settings.redis_url)
        await redis.xadd("events:0", {"event": b"\xff\xfe", "x": "y"})
        await redis.xadd("events:0", {"event": "{}"})
        await redis.aclose()
        await enqueue(settings, (0, {}))
        async with worker(settings):
            await until(lambda: count(admin, 1))
            await until(lambda: empty(settings))

    asyncio.run(run())
    assert admin.execute("select count(*) from audit_dead_letter").fetchone() == (2,)


def test_the_queue_away_is_no_fault_of_the_store(
    settings: Settings, admin: psycopg.Connection[Any], redis_link: Link
) -> None:
    async def run() -> None:
        async with worker(settings, redis_url=redis_link.through(settings.redis_url)) as one:
            await until(lambda: _holds(one, 5))
            redis_link.cut()
            assert (await _status(one, 0)).health_score == 0
            redis_link.mend()
            await enqueue(settings, (0, {}))
            await until(lambda: count(admin, 1))
            assert [t.to for t in one.transitions.seen] == [CLOSED]

    asyncio.run(run())
