"""The breaker's trial proves all that a batch needs, also where no lane is free."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import psycopg

from reference_impl.delivery import lease
from reference_impl.resilience.circuit_breaker import HALF_OPEN, OPEN
from reference_impl.settings import Settings
from reference_impl.store import connections
from tests.reference_impl.conftest import until
from tests.reference_impl.test_worker import worker


def test_a_trial_that_finds_no_free_lane_does_not_pass_on_a_locked_table(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        patient = msgspec.structs.replace(settings, lease_s=10.0)
        other = await connections.connect(patient)
        for lane in range(settings.concurrency):
            assert await lease.try_acquire(other, [lane]) == lane
        with admin.transaction():
            admin.execute("lock table audit_log in share mode")
            async with worker(patient) as one:
                for _ in range(settings.breaker_failure_threshold):
                    one.breaker.failed(one.breaker.acquire_permit(), "a test's")

                async def tried() -> list[str]:
                    return [t.to for t in one.transitions.seen if t.from_ == HALF_OPEN]

                assert (await until(tried))[0] == OPEN
        await connections.close(other)

    asyncio.run(run())
