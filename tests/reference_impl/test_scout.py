"""A silent link while a worker looks for a lane: neither its breaker nor its end waits for the silence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from reference_impl.delivery import lease
from reference_impl.delivery.worker import Worker
from reference_impl.resilience.circuit_breaker import HALF_OPEN
from reference_impl.settings import Settings
from reference_impl.store import connections
from tests.reference_impl.conftest import Link, until
from tests.reference_impl.test_worker import worker


@asynccontextmanager
async def scouting(settings: Settings, link: Link) -> AsyncIterator[Worker]:
    """A worker that finds no free lane, in a claim that a silent link holds up for longer than a test waits."""
    patient = msgspec.structs.replace(settings, attempt_timeout_s=30.0, lease_s=120.0)
    other = await connections.connect(patient)
    for lane in range(settings.concurrency):
        await lease.try_acquire(other, [lane])
    through = link.through(settings.database_url)
    async with worker(patient, database_url=through, lease_s=40.0, stop_grace_s=0.3) as one:

        async def scouts() -> bool:
            return one.lanes.spare is not None

        await until(scouts)
        link.silence()
        await asyncio.sleep(1.5)  # until the next look
        yield one
    await connections.close(other)


def test_a_claim_under_way_ends_when_the_breaker_opens(settings: Settings, postgres_link: Link) -> None:
    async def run() -> None:
        async with scouting(settings, postgres_link) as one:
            for _ in range(settings.breaker_failure_threshold):
                one.breaker.failed(one.breaker.acquire_permit(), "a test's")

            async def tried() -> bool:
                return HALF_OPEN in [t.to for t in one.transitions.seen]

            await until(tried, within_s=20)  # tolerance: a busy machine; the claim itself may take 30 s

    asyncio.run(run())


@pytest.mark.parametrize("during", ["a claim", "a connection"])
def test_told_to_stop_a_worker_ends_within_its_grace_whatever_a_silent_link_holds_up(
    settings: Settings, postgres_link: Link, during: str
) -> None:
    async def run() -> float:
        if during == "a claim":
            async with scouting(settings, postgres_link) as one:
                begun = time.monotonic()
                await one.stop()
                return time.monotonic() - begun
        postgres_link.silence()
        through = postgres_link.through(settings.database_url)
        async with worker(settings, database_url=through, connect_timeout_s=30.0, stop_grace_s=0.3) as one:
            await asyncio.sleep(0.3)
            begun = time.monotonic()
            await one.stop()
            return time.monotonic() - begun

    assert asyncio.run(run()) <= 0.3 + 15  # the grace, and a busy machine; a connection takes 30 s
