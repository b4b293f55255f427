"""Container engines: none is told in words; what a run started in one can be ended by whoever outlives it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shaketable.errors import HarnessError, InputError
from shaketable.stacks import Choice, engine
from shaketable.undo import Containers
from tests.conftest import opened

ROOT = Path(__file__).parents[2]


def test_no_engine_is_told_with_the_stack_that_needs_none() -> None:
    with pytest.raises(HarnessError, match=r"no container engine .*--stack local"):
        engine.connect("unix:///nowhere.sock")


def test_run_without_an_engine_ends_with_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    command = [sys.executable, "-m", "shaketable.cli", "run", "calm", "--stack", "containers", "--runs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 255
    assert "--stack local" in done.stderr
    assert "Traceback" not in done.stderr


def test_stack_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="locl"):
        Choice("locl")  # type: ignore[arg-type]


@pytest.mark.containers
def test_killed_harness_leaves_no_container(tmp_path: Path) -> None:
    client = engine.connect(engine.found())
    with opened("containers", tmp_path) as stack:
        label = {"label": f"{engine.LABEL}={stack._run_id}"}
        assert len(client.containers.list(filters=label)) == 3
        Containers(engine.found(), stack._run_id).perform()
        assert client.containers.list(all=True, filters=label) == []
    client.close()
