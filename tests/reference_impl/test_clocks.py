"""What the clocks of the processes may show: whatever they show, nothing is forgotten early, and health is honest."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.repository import Attempt, DeadLetter
from reference_impl.operations.health import HealthMonitor, HealthSnapshot, dead_letters
from reference_impl.queue import heartbeats, streams
from reference_impl.settings import Settings
from shaketable.stack.process import environment
from shaketable.stack.wall_clock import library
from tests.reference_impl.conftest import row
from tests.reference_impl.test_health import WELL
from tests.reference_impl.test_maintenance import insert_dead_letters, kept
from tests.reference_impl.test_retention import policy
from tests.reference_impl.test_store import put, with_store

MAINTAIN = """
import asyncio
from reference_impl.errors import ShuttingDown
from reference_impl.operations import maintenance
from reference_impl.settings import Settings
from reference_impl.store.connections import ConnectionGate

async def once(_):
    raise ShuttingDown("done")

settings = Settings.read()
try:
    asyncio.run(maintenance.run(settings, ConnectionGate(settings, lambda: "CLOSED"), once))
except ShuttingDown:
    pass
"""


def under_a_wrong_clock(settings: Settings, days: int, *command: str) -> bytes:
    """The output of a command of the reference, with its wall clock so many days ahead."""
    given = {"DATABASE_URL": settings.database_url, "STATE_DIR": settings.state_dir}
    wrong = {"LD_PRELOAD": str(library.library()), "FAKETIME": f"{days:+}d", **library.SETTINGS}
    env = environment(Path(settings.state_dir), **given, **wrong)
    return subprocess.run(
        [sys.executable, *command], env=env, cwd=Path(__file__).parents[2], check=True, stdout=subprocess.PIPE
    ).stdout


@pytest.mark.slow
def test_retention_takes_no_jump_of_its_clock_for_a_year(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    policy(admin, "year", 365)
    old = datetime.now(UTC).replace(day=1) - timedelta(days=62)
    put(settings, [row(timestamp=f"{old:%Y-%m}-15T00:00:00Z", retentionPolicy="year")])
    done = msgspec.json.decode(under_a_wrong_clock(settings, 400, "-m", "reference_impl", "retention"))
    assert (done["dropped"], done["held"]) == ([], [f"{old:%Y-%m}"])


@pytest.mark.slow
@pytest.mark.parametrize("days", [60, -60])
def test_maintenance_takes_no_jump_of_its_clock_for_a_month(
    settings: Settings, admin: psycopg.Connection[Any], days: int
) -> None:
    ids = insert_dead_letters(settings, admin, 31, 6)
    under_a_wrong_clock(settings, days, "-c", MAINTAIN)
    assert kept(admin) == ids[1:]


@pytest.mark.parametrize("days", [60, -60])
def test_dead_letter_of_a_worker_with_a_wrong_clock_is_as_old_as_it_is(
    settings: Settings, admin: psycopg.Connection[Any], days: int
) -> None:
    one, wrong = row(), datetime.now(UTC) + timedelta(days=days)
    history = [Attempt("retry", "40001", at=wrong), Attempt("retry", "40001", at=wrong + timedelta(seconds=3))]
    letter = DeadLetter(one.event_id, one.event, one.hash, "tested", history, ValueError())
    assert with_store(settings, lambda store: repository.insert(store.connection, letter))
    ages = "extract(epoch from now() - first_failed_at)::float8, extract(epoch from now() - last_failed_at)::float8"
    ((first_s, last_s),) = admin.execute(f"select {ages} from audit_dead_letter").fetchall()
    assert first_s - last_s == pytest.approx(3)
    assert 0 <= last_s < 60


def stalls(settings: Settings, *polls: tuple[float, float]) -> list[float]:
    """Seconds of a stall at each poll, of which its time and the worker's last commit are given."""

    async def run() -> list[float]:
        redis, found, times = streams.connect(settings.redis_url, 1), [], iter([0.0, *(at for at, _ in polls)])
        monitor = HealthMonitor(settings, redis, asyncio.sleep, lambda: next(times))
        await redis.xadd(streams.key(0), {"event": "waits"})
        for _, committed_at in polls:
            heartbeat = msgspec.structs.replace(WELL, committed_at=committed_at)
            await heartbeats.beat(redis, heartbeat, settings.lease_s)
            await monitor.poll()
            found.append(monitor.snapshot.stalled_s)
        await redis.aclose()
        return found

    return asyncio.run(run())


def test_worker_whose_clock_jumps_back_does_not_stall_while_it_commits(settings: Settings) -> None:
    assert stalls(settings, (1, 7200.0), (11, 100.0), (21, 110.0), (31, 120.0)) == [0, 0, 0, 0]


def test_worker_whose_clock_is_ahead_stalls_when_it_commits_no_more(settings: Settings) -> None:
    assert stalls(settings, (1, 90_000.0), (11, 90_000.0), (21, 90_000.0)) == [0, 10, 20]


def test_dead_letters_are_not_told_by_a_worker_without_lanes_whose_clock_is_ahead() -> None:
    ahead = msgspec.structs.replace(WELL, worker="worker-2", lanes=[], dead_letters=40, counted_at=90_000.0)
    counted = msgspec.structs.replace(WELL, dead_letters=2, counted_at=1000.0)
    assert dead_letters(HealthSnapshot(True, workers=[ahead, counted])) == (2, 0)
