"""A whole run as a user starts it: ended by hand at any moment it leaves nothing; two at once do not meet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
import psutil
import pytest

from shaketable.cli.check import check_run
from shaketable.stack import supervisor
from shaketable.stack.toxiproxy.repair import RECOVERY_S
from tests.support.cases import nightly

ROOT = Path(__file__).parents[2]
#: Beyond a bound, for a machine that is busy.
BUSY_S = 10
SHORT = ROOT / "tests" / "seeded_bugs" / "scenarios" / "short_outage.py"


def start(runs: Path, *arguments: str | Path, scenario: Path = SHORT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "shaketable.cli", "run", str(scenario), "--runs", str(runs), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


@contextmanager
def ended_with_the_test(harness: subprocess.Popen[str]) -> Iterator[IO[str]]:
    """Its output. A harness whose test fails, by its time-out perhaps, is no later test's."""
    assert harness.stdout is not None
    try:
        yield harness.stdout
    except BaseException:
        harness.kill()
        harness.stdout.close()
        harness.wait()
        raise


def output_until(harness: subprocess.Popen[str], word: str) -> str:
    """Read what it says until a line holds `word`."""
    said = ""
    with ended_with_the_test(harness) as out:
        for line in out:
            said += line
            if word in line:
                return said
        raise AssertionError(f"it ended before it said {word!r}: {said}")


def end(harness: subprocess.Popen[str]) -> str:
    with ended_with_the_test(harness) as out:
        said = out.read()
        harness.wait(timeout=30)
        out.close()
    return said


def run_id(runs: Path) -> str:
    return (runs / "latest").resolve().name.split("-")[1]


def left_of(run: str) -> list[str]:
    """Processes that carry the run's id and are no zombies."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SHAKETABLE_RUN") == run and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except psutil.Error:
            continue
    return found


def await_any(run: str) -> None:
    """Wait until the run has started a process: before, a kill proves nothing."""
    deadline = time.monotonic() + 30
    while not left_of(run):
        assert time.monotonic() < deadline, f"run {run} started no process"
        time.sleep(0.01)


def gone(run: str, within_s: float) -> bool:
    """Whether nothing of a run is left in that time, and a busy machine's."""
    deadline = time.monotonic() + within_s + BUSY_S
    while time.monotonic() < deadline:
        if not (supervisor.journals() / f"{run}.jsonl").exists() and not left_of(run):  # a scan of all is dear
            return True
        time.sleep(0.05)
    return False


def folders(run: str) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"shaketable-stack-{run}-*"))


def judged(tmp_path: Path) -> int:
    """What `shaketable check` ends with."""
    return check_run(tmp_path / "runs" / "latest")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["prepare", nightly("FAULT")])  # test_nothing_stays kills in a fault, too
def test_killed_harness_leaves_nothing_within_bounds(moment: str, tmp_path: Path) -> None:
    harness = start(tmp_path / "runs")
    output_until(harness, "on reference" if moment == "prepare" else moment)
    run = run_id(tmp_path / "runs")
    await_any(run)
    harness.kill()
    end(harness)
    assert gone(run, supervisor.BOUND_S)
    assert folders(run) == []


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        nightly(signal.SIGTERM),  # the same handler
        nightly(signal.SIGHUP),  # tests/cli/test_streams hangs up
    ],
)
def test_interrupted_harness_says_so_and_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    harness = start(tmp_path / "runs", "--junit", tmp_path / "junit.xml")
    output_until(harness, "FAULT")
    run = run_id(tmp_path / "runs")
    os.kill(harness.pid, number)
    assert "interrupted" in end(harness)
    assert harness.returncode == 255
    assert 'type="interrupted"' in (tmp_path / "junit.xml").read_text()
    assert judged(tmp_path) == 2  # what is cut off can be judged, and is unknown
    assert left_of(run) == []
    assert folders(run) == []


@pytest.mark.nightly
@pytest.mark.timeout(400)  # three whole runs
def test_two_runs_at_once_in_a_folder_with_a_space_both_pass_and_a_replay_sends_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    other = start(folder / "other")
    command = [sys.executable, "-m", "shaketable.cli", "run", str(SHORT)]
    harness = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    said = end(other)
    assert (harness.returncode, other.returncode) == (0, 0), harness.stdout + harness.stderr + said
    assert sorted(path.name for path in folder.iterdir()) == ["other", "runs"]
    earlier = (folder / "runs" / "latest").resolve()
    assert (earlier / "transitions.jsonl").read_text().count('"OPEN"') >= 2
    assert "PASSED" in end(start(tmp_path / "again", "--replay", earlier))
    later = (tmp_path / "again" / "latest").resolve()
    for name in ("schedule.jsonl", "corpus.jsonl"):
        assert (earlier / name).read_bytes() == (later / name).read_bytes()


@pytest.mark.nightly
def test_worker_killed_by_hand_loses_nothing(tmp_path: Path) -> None:
    harness = start(tmp_path / "runs")
    output_until(harness, "shake")
    worker = next(
        p
        for p in psutil.process_iter()
        if "reference_impl" in (words := p.cmdline())
        and words[-1] == "work"
        and p.environ().get("SHAKETABLE_RUN") == run_id(tmp_path / "runs")
    )
    worker.kill()
    said = end(harness)
    assert "died by itself" in said
    told = msgspec.json.decode((tmp_path / "runs" / "latest" / "verdict.json").read_bytes())
    assert told["verdict"] == "passed", told


@pytest.mark.nightly
def test_toxiproxy_that_wedges_in_a_run_is_mended_and_the_run_can_be_judged(tmp_path: Path) -> None:
    harness = start(tmp_path / "runs", scenario=ROOT / "tests" / "scenarios" / "wedged.py")
    assert "PASSED" in end(harness)
    told = msgspec.json.decode((tmp_path / "runs" / "latest" / "verdict.json").read_bytes())
    slow, mended = told["faults"]
    assert mended["label"].startswith("Toxiproxy had wedged and cut")
    assert slow["until"] <= mended["at"] < mended["until"] < slow["until"] + RECOVERY_S
