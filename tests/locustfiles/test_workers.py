"""One schedule from several Locust processes: under the harness, and as a person runs them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shaketable import rundir
from shaketable.errors import LoadEnded
from shaketable.load.distributed.workers import Workers
from shaketable.load.locust_process import LocustProcess
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load, Planned
from shaketable.op import Kind, Op
from tests.locustfiles.conftest import ROOT
from tests.locustfiles.test_under_the_harness import by_organization

Drive = Callable[..., tuple[LocustProcess, list[Planned]]]
Start = Callable[[str], Any]

pytestmark = pytest.mark.slow


@pytest.fixture
def two(port: int) -> Workers:
    return Workers(2, port)


def ops(locust: LocustProcess, process: str) -> list[Op]:
    return list(rundir.read_lines(locust.run.journal(process), Op))


def failure(locust: LocustProcess) -> LoadEnded:
    """The end of a load within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            locust.progress()
        except LoadEnded as e:
            return e
        locust.clock.sleep(0.05)
    pytest.fail("the load goes on")


def test_two_workers_play_one_schedule_and_each_event_is_in_one_journal(
    drive: Drive, target: Start, two: Workers
) -> None:
    running = target("slow")
    mix = Mix(shapes=40, ordered=0.5, ordered_organizations=4, resent=0, malformed=0.05)
    locust, events = drive(running.url, Load(100, 0, 3, 0), mix, workers=two)
    start = locust.wait_started(60)
    assert locust.wait_done(60)
    assert (locust.stop(), locust.poll()) == (0, 0)
    halves = [ops(locust, "load-0"), ops(locust, "load-1")]
    firsts = [[op for op in half if op.kind is Kind.INTENT and "resend" not in op.detail] for half in halves]
    assert all(firsts)
    assert sorted(int(op.detail["n"] or 0) for half in firsts for op in half) == [planned.n for planned in events]
    assert {op.invoked_at for half in halves for op in half if op.kind is Kind.START} == {start}
    assert {(op.detail["n"], op.detail["due"]) for half in firsts for op in half} == {
        (planned.n, start + planned.at) for planned in events
    }
    overlaps = Counter(
        name
        for name, requests in by_organization(running)
        for earlier, later in pairwise(requests)
        if later["began"] < earlier["ended"]
    )
    assert not [name for name in overlaps if name.startswith("ordered-")]
    assert overlaps
    counted, seen = locust.counts(), locust.progress()
    assert counted
    assert counted.detail["scheduled"] == counted.detail["sent"] == seen.sent == len(events)
    assert seen.acknowledged == len(locust.acknowledged())


def test_a_worker_that_is_killed_ends_the_load_within_ten_seconds(drive: Drive, target: Start, two: Workers) -> None:
    locust, events = drive(target("ok").url, Load(50, 0, 60, 0), Mix(shapes=40), workers=two)
    locust.wait_started(60)
    while locust.progress().sent < 50:
        locust.clock.sleep(0.05)
    killed: Any = locust._children["locust-2"]
    killed.send_signal(signal.SIGKILL)
    told = failure(locust)
    assert (told.code, told.log) == (-signal.SIGKILL, "locust-2")
    locust.stop()
    left = Counter(op.kind for process in ("load-0", "load-1") for op in ops(locust, process))
    assert left[Kind.DONE] == 1  # the other one accounts for what it did not send
    assert 0 < left[Kind.UNSENT] < len(events)


@pytest.mark.nightly
def test_a_worker_that_is_silent_ends_the_load_within_ten_seconds(drive: Drive, target: Start, two: Workers) -> None:
    locust, _ = drive(target("ok").url, Load(50, 0, 60, 0), Mix(shapes=40), workers=two)
    locust.wait_started(60)
    frozen: Any = locust._children["locust-1"]
    frozen.send_signal(signal.SIGSTOP)
    try:
        told = failure(locust)
    finally:
        frozen.send_signal(signal.SIGCONT)
    assert told.log == "locust"
    assert "lost load-" in locust.log.read_text()


def test_a_worker_elsewhere_needs_no_run_directory_and_its_journal_comes_back(
    drive: Drive, target: Start, environment: dict[str, str], tmp_path: Path, two: Workers
) -> None:
    workers = replace(two, here=1, elsewhere=1)
    mix = Mix(shapes=40, ordered=0.2, malformed=0)
    locust, events = drive(target("ok").url, Load(100, 0, 3, 0), mix, workers=workers)
    (away := tmp_path / "away").mkdir()
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfiles" / "ingest.py"), "--worker"]
    command += ["--master-host", "127.0.0.1", "--master-port", str(workers.port)]
    with subprocess.Popen(command, env={**environment, "HOME": str(away)}, cwd=away) as other:
        try:
            start = locust.wait_started(60)
            assert locust.wait_done(60)
            assert locust.stop() == 0
            assert other.wait(30) == 0
        finally:
            other.kill()
    assert locust.acknowledged() == {planned.event_id for planned in events}
    halves = [ops(locust, process) for process in ("load-0", "load-1")]
    (away_ops,) = [half for half in halves if any("clock_offset" in op.detail for op in half)]
    first, last = away_ops[0], away_ops[-1]
    assert (first.kind, last.kind) == (Kind.READY, Kind.DONE)
    assert 0 < int(first.detail["clock_error"] or 0) <= int(last.detail["clock_error"] or 0)
    # one machine, one clock
    assert abs(int(first.detail["clock_offset"] or 0)) <= int(first.detail["clock_error"] or 0)
    due = {planned.n: start + planned.at for planned in events}
    intents = [op for op in away_ops if op.kind is Kind.INTENT and "resend" not in op.detail]
    assert intents
    assert all(op.detail["due"] == due[int(op.detail["n"] or 0)] for op in intents)
    assert not list(away.rglob("*.jsonl"))


@pytest.fixture
def locust(environment: dict[str, str], tmp_path: Path, port: int) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfiles" / "ingest.py"), *arguments]
        command += ["--headless", "--processes", "2", "--master-bind-port", str(port), "--master-port", str(port)]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return run


@pytest.mark.nightly
def test_processes_of_plain_locust_send_each_event_once(locust: Any, target: Start) -> None:
    running = target("ok")
    mix = "shapes=40,resent=0,malformed=0"
    done = locust("--host", running.url, "-u", "1", "-t", "12s", "--rate", "50", "--mix", mix)
    assert done.returncode == 0, done.stderr
    ids = Counter(request["id"] for request in running.requests())
    assert len(ids) > 100
    assert set(ids.values()) == {1}
    times = sorted(request["began"] for request in running.requests())
    assert len(ids) <= 50 * ((times[-1] - times[0]) / 1e9 + 1)  # one schedule at its rate, not one each
    assert done.stdout.count(" acknowledged, 0 refused") == 2  # the one user is not all that two workers have
    assert done.stdout.count("seed ") == 1


@pytest.mark.nightly
def test_a_target_that_cannot_be_loaded_ends_all_processes(locust: Any, target: Start) -> None:
    done = locust("--host", target("201").url, "--mix", "shapes=40,malformed=0")
    assert (done.returncode, "answers are 201, the contract expects 202" in done.stderr) == (254, True)
