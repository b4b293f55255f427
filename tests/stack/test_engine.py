"""Container engines: none is told in words; what a run started in one can be ended by whoever outlives it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shaketable.errors import HarnessError, InputError
from shaketable.stack import engine, supervisor, undo
from shaketable.stack.choice import Choice, need_extra

ROOT = Path(__file__).parents[2]


def test_no_engine_is_told_with_the_stack_that_needs_none() -> None:
    with pytest.raises(HarnessError, match=r"no container engine .*--stack local"):
        engine.connect("unix:///nowhere.sock")


@pytest.mark.slow
def test_run_without_an_engine_ends_with_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    command = [sys.executable, "-m", "shaketable.cli", "run", "calm", "--stack", "containers", "--runs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 255
    assert "--stack local" in done.stderr
    assert "Traceback" not in done.stderr


def test_stack_whose_libraries_are_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.container", None)
    with pytest.raises(InputError, match=r"shaketable\[containers\]"):
        need_extra()


def test_stack_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="locl"):
        Choice("locl")  # type: ignore[arg-type]


#: A harness that has a stack open, says which run it is, and is killed.
HARNESS = """
import sys, time
from pathlib import Path
from tests.conftest import opened
with opened(sys.argv[1], Path(sys.argv[2])) as stack:
    stack.server("postgres").pause()
    print(stack._run_id, flush=True)
    time.sleep(600)
"""


def killed(kind: str, logs: Path, env: dict[str, str] | None = None) -> str:
    """Open a stack, freeze its Postgres, and kill -9 the harness; returns the run's id."""
    command = [sys.executable, "-c", HARNESS, kind, str(logs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env) as harness:
        assert harness.stdout is not None
        run_id = harness.stdout.readline().strip()
        harness.kill()
    assert run_id
    return run_id


def holds(condition: Callable[[], bool], within_s: float = supervisor.BOUND_S + undo.ENGINE_S) -> bool:
    """Whether it holds within the time that a supervisor has for a run's processes and its containers."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.containers
def test_killed_harness_leaves_no_container(tmp_path: Path) -> None:
    label = {"label": f"{engine.LABEL}={killed('containers', tmp_path)}"}
    client = engine.connect(engine.found())
    assert holds(lambda: client.containers.list(all=True, ignore_removed=True, filters=label) == [])
    client.close()
