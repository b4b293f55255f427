"""Attempts under the breaker: the proof of each kind of success, turns and pauses in an outage, and counters."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from prometheus_client import REGISTRY

from reference_impl.errors import Failure, StoreError
from reference_impl.resilience.circuit_breaker import CLOSED, OPEN, Kind
from tests.reference_impl.test_breaker import Bench


@pytest.mark.parametrize(
    ("failing", "working", "state"),
    [
        (Kind.BATCH, Kind.BATCH, CLOSED),
        (Kind.BATCH, Kind.HEARTBEAT, OPEN),  # a small write commits, which proves nothing about batches
        (Kind.HEARTBEAT, Kind.HEARTBEAT, CLOSED),
        (Kind.HEARTBEAT, Kind.BATCH, CLOSED),
        (Kind.ACQUIRE, Kind.HEARTBEAT, CLOSED),
        (Kind.ACQUIRE, Kind.ACQUIRE, OPEN),  # it has written nothing
        (Kind.HEARTBEAT, Kind.ACQUIRE, OPEN),
    ],
)
def test_a_success_ends_a_row_of_failures_if_it_proves_as_much(failing: Kind, working: Kind, state: str) -> None:
    assert Bench().attempts(*[(failing, False)] * 4, (working, True), (failing, False)) == state


def test_attempts_of_an_outage_have_pauses_from_the_second_failure_on() -> None:
    bench = Bench(retry_base_s=0.5)
    assert bench.attempts((Kind.BATCH, False)) == CLOSED
    assert bench.slept == []
    bench.attempts((Kind.BATCH, False), (Kind.BATCH, True), (Kind.BATCH, False))
    assert bench.slept == [0.5]
    assert bench.attempts(*[(Kind.BATCH, False)] * 4) == OPEN
    assert bench.slept == [0.5] * 4  # none once it is open


def test_a_refusal_of_events_proves_that_the_store_works() -> None:
    async def run(bench: Bench) -> None:
        for error in [*[psycopg.OperationalError("lost")] * 4, StoreError(Failure.DATA, "22023", "DataError")]:
            with pytest.raises(StoreError):
                async with bench.breaker.attempt(Kind.BATCH):
                    raise error

    bench = Bench()
    asyncio.run(run(bench))
    assert bench.attempts(*[(Kind.BATCH, False)] * 4) == CLOSED
    assert bench.attempts((Kind.BATCH, False)) == OPEN


def test_after_a_failure_attempts_take_turns() -> None:
    async def under_way(bench: Bench) -> int:
        """How many of two attempts begin before either ends."""
        begun, end = [], asyncio.Event()

        async def attempt() -> None:
            async with bench.breaker.attempt(Kind.BATCH):
                begun.append(1)
                await end.wait()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(attempt())
            tasks.create_task(attempt())
            for _ in range(10):
                await asyncio.sleep(0)
            count = len(begun)
            end.set()
        return count

    bench = Bench()
    assert asyncio.run(under_way(bench)) == 2
    bench.attempts((Kind.BATCH, False))
    assert asyncio.run(under_way(bench)) == 1
    assert asyncio.run(under_way(bench)) == 2


def test_changes_and_trips_are_counted() -> None:
    def counted() -> tuple[float, float]:
        labels = {"from": CLOSED, "to": OPEN}
        changes = REGISTRY.get_sample_value("reference_breaker_transitions_total", labels)
        return changes or 0.0, REGISTRY.get_sample_value("reference_breaker_trips_total") or 0.0

    before, bench = counted(), Bench()
    bench.fail(5)
    bench.breaker.half_open()
    bench.succeed(1)
    assert counted() == (before[0] + 1, before[1] + 1)
