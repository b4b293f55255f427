"""Whatever ends a run, in whatever phase: one sentence, exit code 255, nothing runs on, what is there can be judged."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from shaketable.stack import supervisor
from tests.cli.test_cli import SCENARIO
from tests.runner.test_phases import ROOT, await_any, end, folders, gone, judged, left_of, output_until, run_id, start
from tests.support.cases import cases, nightly

#: The command line, with a run that fails as soon as it enters a phase; `up`: once the target stands, before the load;
#: `fault`: while one is in effect.
FAILING = """
import sys
from shaketable import cli
from shaketable.errors import HarnessError
from shaketable.runner import phases
from shaketable.runner.journal import PhaseJournal
from shaketable.runner.monitor import Monitor

enter, look, load_process, phase = PhaseJournal.enter, Monitor.look, phases.load_process, sys.argv.pop(1)

def fail_in(name):
    if name == phase:
        raise HarnessError(f"no way through {name}")

def failing(self, name, at=None, **more):
    enter(self, name, at, **more)
    fail_in(name)

def looking(self, *seen):
    look(self, *seen)
    if self.injector.active():
        fail_in("fault")

def upping(*parts):
    fail_in("up")
    return load_process(*parts)

PhaseJournal.enter, Monitor.look, phases.load_process = failing, looking, upping
cli.main()
"""
WORDS = {"prepare": "on reference", "baseline": "baseline", "shake": "FAULT", "recover": "recover", "drain": "drain"}


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "short.py"
    short = SCENARIO.replace("shake_s=2", "shake_s=1")
    path.write_text(short.replace("At(0.5, 1,", "At(0.2, 0.8,"))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "phase",
    cases(
        ["prepare", "up", "baseline", "shake", "fault", "heal", "recover", "drain", "observe"],
        each_change=["prepare"],
    ),
)
def test_error_in_any_phase_is_one_sentence_and_leaves_nothing(phase: str, scenario: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING, phase, "run", str(scenario), "--runs", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (255, f"shaketable: no way through {phase}\n")
    run = run_id(tmp_path / "runs")
    assert (left_of(run), folders(run)) == ([], [])
    assert judged(tmp_path) == 2


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("phase", cases(list(WORDS), each_change=["shake"]))
def test_killed_harness_leaves_nothing_although_all_it_started_is_frozen(
    phase: str, scenario: Path, tmp_path: Path
) -> None:
    harness = start(tmp_path / "runs", scenario=scenario)
    output_until(harness, WORDS[phase])
    run = run_id(tmp_path / "runs")
    await_any(run)
    for process in psutil.process_iter():
        try:
            if process.environ().get("SHAKETABLE_RUN") == run:
                process.send_signal(signal.SIGSTOP)
        except psutil.Error:
            continue  # another user's, or gone
    harness.kill()
    end(harness)
    assert gone(run, supervisor.BOUND_S)
    assert folders(run) == []
    assert judged(tmp_path) == 2


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("apart_s", [0.05, 0.5])
def test_interrupting_twice_is_as_good_as_once(apart_s: float, scenario: Path, tmp_path: Path) -> None:
    harness = start(tmp_path / "runs", scenario=scenario)
    output_until(harness, "FAULT")
    run = run_id(tmp_path / "runs")
    os.kill(harness.pid, signal.SIGINT)
    time.sleep(apart_s)
    os.kill(harness.pid, signal.SIGINT)
    said = end(harness)
    assert "interrupted" in said
    assert "Traceback" not in said
    assert harness.returncode == 255
    assert gone(run, supervisor.BOUND_S)
    assert folders(run) == []
    assert judged(tmp_path) == 2


@contextmanager
def full_disk(runs: Path, kilobytes: int) -> Iterator[None]:
    """A small disk at `runs`, really full after so many kilobytes: a tmpfs, else the full device."""
    runs.mkdir()
    if os.getuid() == 0:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(runs)], check=False)
        if mounted.returncode == 0:
            try:
                yield
            finally:
                subprocess.run(["umount", "--lazy", str(runs)], check=True)
            return
    planting = threading.Thread(target=_plant, args=(runs, "probes.jsonl" if kilobytes < 850 else "stored.jsonl.part"))
    planting.start()
    yield
    planting.join()


def _plant(runs: Path, name: str) -> None:
    """Put the full device in a file's place as soon as there is a run."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for run in runs.glob("2*"):
            (run / name).symlink_to("/dev/full")
            return
        time.sleep(0.001)


def _bounded() -> None:
    """No more than 4 GB of address space: a test must not take the machine with it."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


@pytest.mark.nightly
@pytest.mark.parametrize("kilobytes", [nightly(300), 790, nightly(900)])
def test_full_disk_is_one_sentence_and_leaves_nothing(kilobytes: int, scenario: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with full_disk(runs, kilobytes):
        harness = start(runs, scenario=scenario)
        said = end(harness)
        run = run_id(runs)
        assert harness.returncode == 255
        assert "No space left on device" in said.splitlines()[-1]
        assert "Traceback" not in said
        assert (left_of(run), folders(run)) == ([], [])
        for planted in runs.glob("2*/*"):
            if planted.is_char_device():
                planted.unlink()  # to read it would never end
        done = subprocess.run(
            [sys.executable, "-m", "shaketable.cli", "check", str(runs / "latest")],
            capture_output=True,
            text=True,
            preexec_fn=_bounded,
        )
    assert "verdict: UNKNOWN" in done.stdout
    assert (done.returncode, "verdict.json" in done.stderr) in ((255, True), (2, False))  # told, written or not


@pytest.mark.slow
@pytest.mark.nightly
def test_full_device_is_one_sentence_too(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    test_full_disk_is_one_sentence_and_leaves_nothing(790, scenario, tmp_path)
