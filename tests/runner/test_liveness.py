"""A server or a supervisor that fails though no fault ordered it: one sentence, exit code 2, nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import psycopg
import pytest
import redis

from shaketable import rundir
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import judge_history
from shaketable.clock import SECOND
from shaketable.errors import HarnessError, LoadEnded, ServerUnavailable, TargetError, UnexpectedFailure
from shaketable.evidence.history.validity import why_invalid
from shaketable.exit_code import ended
from shaketable.op import Kind, Op
from shaketable.rundir import PHASES, RunDir
from shaketable.runner.liveness import FROZEN_LOOKS, Liveness
from shaketable.stack import supervisor
from shaketable.stack.process import Child, spawn
from tests.runner.test_nothing_stays import scenario as scenario  # a fixture
from tests.runner.test_phases import end, folders, gone, judged, left_of, output_until, run_id, start
from tests.support.book import Book
from tests.support.cases import cases
from tests.support.histories import history, sent


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    made = spawn("postgres", ["sleep", "60"], env={}, cwd=tmp_path, log=tmp_path / "log", journal=lambda *_: None)
    yield made
    made.kill()


def test_process_that_was_killed_by_a_foreign_hand_is_told_once(child: Child) -> None:
    alive = Liveness(lambda: [child])
    alive.look()
    assert alive.failures == []
    os.kill(child.pid, signal.SIGKILL)
    child.wait(30)
    alive.look()
    alive.look()
    (told,) = alive.failures
    assert told.startswith("postgres was killed by SIGKILL")
    assert "logs/postgres.log" in told
    with pytest.raises(UnexpectedFailure):
        alive.raise_error()


@pytest.mark.parametrize("end_it", [Child.kill, lambda child: child.terminate(5)])
def test_process_that_a_fault_ended_is_no_failure(child: Child, end_it: object) -> None:
    assert callable(end_it)
    end_it(child)
    alive = Liveness(lambda: [child])
    alive.look()
    assert alive.failures == []


def test_frozen_process_is_told_and_let_go_on_unless_a_fault_froze_it(child: Child) -> None:
    alive = Liveness(lambda: [child])
    child.pause()
    while not child.is_stopped():  # the kernel takes its time
        time.sleep(0.01)
    for _ in range(FROZEN_LOOKS + 1):
        alive.look()
    assert (alive.failures, child.is_stopped()) == ([], True)
    child.resume()
    os.kill(child.pid, signal.SIGSTOP)
    while not child.is_stopped():
        time.sleep(0.01)
    for _ in range(FROZEN_LOOKS + 1):
        alive.look()
    assert len(alive.failures) == 1
    assert not child.is_stopped()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LoadEnded("it said nothing", -9), "the load generator was killed by SIGKILL"),
        (psycopg.OperationalError("connection refused"), "postgres did not answer (connection refused)"),
        (redis.ConnectionError("reset"), "redis did not answer (reset)"),
        (ServerUnavailable("silent"), "toxiproxy did not answer (silent)"),
        (TargetError("it died at start"), None),
        (HarnessError("no way through"), None),
    ],
)
def test_error_is_explained_by_what_failed(error: Exception, told: str | None) -> None:
    found = Liveness(list).behind(error)
    assert bool(found) == (told is not None)
    assert not told or found[0].startswith(told)


def test_exit_codes_are_told_by_the_names_of_signals() -> None:
    assert (ended(3), ended(-15)) == ("ended with exit code 3", "was killed by SIGTERM")


def test_target_is_not_blamed_once_a_server_failed_unordered() -> None:
    def failed(book: Book) -> None:
        book.op(PHASES, "run", Kind.FAILURE, 9, text="valkey was killed by SIGKILL")

    lost = (sent("a").acknowledged(5),)
    assert judge_history(history(*lost)).checks["no_loss"].verdict is Verdict.FAILED
    doc = judge_history(history(*lost, failed))
    assert (doc.verdict, doc.checks["no_loss"].verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert why_invalid(history(*lost, failed)) == ["valkey was killed by SIGKILL"]


def own(harness: int, name: str) -> psutil.Process:
    """The harness's child whose command names that; servers overwrite their environment with a title."""
    children = psutil.Process(harness).children()
    return next(child for child in children if any(name in word for word in child.cmdline()))


NAMES = {
    "postgres": "bin/postgres",
    "valkey": "valkey",
    "toxiproxy": "toxiproxy-server",
    "supervisor": "shaketable.stack.supervisor",
    "the load generator": "locust",
}


#: Seconds within which a run ends on a busy machine. Without a bound it never does.
ENDS_S = 120
#: What a run prints as it enters a phase. The load generator has ended by the drain.
PHASE_WORDS = ("baseline", "FAULT", "drain")


def struck(tmp_path: Path, scenario: Path, name: str, number: signal.Signals, phase: str) -> tuple[str, int, float]:
    """What a run said, its exit code, and the seconds that it took to end after one of its own was struck."""
    harness = start(tmp_path / "runs", scenario=scenario)
    output_until(harness, phase)
    run = run_id(tmp_path / "runs")
    own(harness.pid, NAMES[name]).send_signal(number)
    began = time.monotonic()
    try:
        said = end(harness)
    finally:
        harness.kill()
    took_s = time.monotonic() - began
    assert gone(run, supervisor.BOUND_S), left_of(run)
    assert folders(run) == []
    return said, harness.returncode, took_s


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "phase"),
    cases(
        [(name, phase) for name in NAMES for phase in PHASE_WORDS if (name, phase) != ("the load generator", "drain")],
        each_change=[],
    ),
)
def test_run_whose_own_process_is_killed_is_unknown_in_a_sentence(
    name: str, phase: str, scenario: Path, tmp_path: Path
) -> None:
    said, code, took_s = struck(tmp_path, scenario, name, signal.SIGKILL, phase)
    assert f"{name} was killed by SIGKILL, although no fault ordered it" in said
    assert "Traceback" not in said
    assert code == 2, said
    assert took_s < ENDS_S
    told = msgspec.json.decode((tmp_path / "runs" / "latest" / "verdict.json").read_bytes())
    assert (told["verdict"], told["reasons"][0].startswith(name)) == ("unknown", True)
    assert judged(tmp_path) == 2


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "phase"),
    cases(
        [(name, phase) for name in NAMES for phase in PHASE_WORDS if name != "the load generator"],
        each_change=[("valkey", "FAULT")],
    ),
)
def test_run_whose_own_process_is_frozen_for_ever_is_unknown_in_a_sentence(
    name: str, phase: str, scenario: Path, tmp_path: Path
) -> None:
    said, code, took_s = struck(tmp_path, scenario, name, signal.SIGSTOP, phase)
    assert f"{name} was frozen (SIGSTOP)" in said
    assert ("Traceback" in said, code) == (False, 2), said
    assert took_s < ENDS_S


@pytest.mark.nightly
def test_frozen_load_generator_ends_within_a_bound_and_is_unknown(scenario: Path, tmp_path: Path) -> None:
    text = scenario.read_text()
    assert text.count("settings=") == 1
    scenario.write_text(text.replace("settings=", "resend_for_s=3, settings="))  # for which a run waits for its load
    said, code, took_s = struck(tmp_path, scenario, "the load generator", signal.SIGSTOP, "baseline")
    assert ("Traceback" in said, code) == (False, 2), said
    assert took_s < ENDS_S


@pytest.mark.nightly
def test_run_that_loses_a_load_worker_is_unknown_within_ten_seconds(scenario: Path, tmp_path: Path) -> None:
    harness = start(tmp_path / "runs", "--load-workers", "2", scenario=scenario)
    output_until(harness, "FAULT")
    next(child for child in psutil.Process(harness.pid).children() if "--worker" in child.cmdline()).kill()
    killed = time.monotonic_ns()
    said = end(harness)
    assert harness.returncode == 2, said
    run = RunDir((tmp_path / "runs" / "latest").resolve())
    told = next(op for op in rundir.read_lines(run / PHASES, Op) if op.kind is Kind.FAILURE)
    assert "killed by SIGKILL" in str(told.detail["text"])
    assert told.invoked_at - killed < 10 * SECOND
    assert judged(tmp_path) == 2


@pytest.mark.nightly
def test_killed_backend_of_postgres_is_told(scenario: Path, tmp_path: Path) -> None:
    harness = start(tmp_path / "runs", scenario=scenario)
    output_until(harness, "recover")
    postmaster = own(harness.pid, NAMES["postgres"])
    next(p for p in postmaster.children() if "checkpointer" in " ".join(p.cmdline())).kill()
    said = end(harness)
    assert ("was terminated by signal 9" in said, harness.returncode) == (True, 2), said


def test_harness_cleans_up_itself_once_the_supervisor_is_dead(tmp_path: Path) -> None:
    script = """
import subprocess, sys
from pathlib import Path
from shaketable.stack.process import Identity
from shaketable.stack.supervisor import Supervisor
mine = Supervisor(sys.argv[1])
Path(sys.argv[2]).mkdir()
mine.folder(Path(sys.argv[2]))
left = subprocess.Popen(["sleep", "600"], start_new_session=True)
mine.process("left", Identity.of(left.pid))
mine.child._popen.kill()
mine.close()
print(left.wait(30))
"""
    run = f"test-dead-{os.getpid()}"
    done = subprocess.run(
        [sys.executable, "-c", script, run, str(tmp_path / "stack")], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "-9\n", done.stderr
    assert not (tmp_path / "stack").exists()
    assert not (supervisor.journals() / f"{run}.jsonl").exists()
