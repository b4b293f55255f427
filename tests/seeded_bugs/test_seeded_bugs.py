"""Every seeded bug is caught by its own check in a real run; the sound reference passes the same scenarios."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.seeded_bugs.bug import HERE, REFERENCE, Bug, manifest

FILES = sorted(path for path in HERE.glob("*.py") if "\nBUG = " in path.read_text())
BUGS: dict[str, Bug] = {path.stem: runpy.run_path(str(path))["BUG"] for path in FILES}


def scenario(name: str) -> str:
    """A scenario of these tests by its file; any other by its name."""
    own = HERE / "scenarios" / f"{name}.py"
    return str(own) if own.exists() else name


def shake(name: str, target: Path, runs: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "shaketable.cli", "run", scenario(name), "--target", str(target), "--runs", str(runs)],
        capture_output=True,
        text=True,
    )
    verdict = runs / "latest" / "verdict.json"
    assert verdict.exists(), done.stdout + done.stderr
    return done.returncode, msgspec.json.decode(verdict.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_bug_is_caught_by_its_own_check(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    code, told = shake(bug.shown_by, manifest(HERE / f"{name}.py", tmp_path), tmp_path / "runs")
    assert told["checks"][bug.caught_by]["verdict"] == "failed", told["checks"]
    assert bug.because in told["checks"][bug.caught_by]["why"]
    assert code == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({bug.shown_by for bug in BUGS.values()}))
def test_sound_reference_passes_the_scenario_that_shows_a_bug(name: str, tmp_path: Path) -> None:
    code, told = shake(name, REFERENCE, tmp_path / "runs")
    assert told["verdict"] == "passed", told
    assert code == 0
