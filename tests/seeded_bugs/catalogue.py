"""All seeded bugs by name, and one real run of one of them."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from tests.seeded_bugs.bug import HERE, REFERENCE, Bug, manifest

#: The file of each bug by its name, in the folder of the check that must catch it.
FILES = {path.stem: path for path in sorted(HERE.glob("*/*.py")) if "\nBUG = " in path.read_text()}
BUGS: dict[str, Bug] = {name: runpy.run_path(str(path))["BUG"] for name, path in FILES.items()}


def scenario(name: str) -> str:
    """A scenario of the seeded bugs by its file; any other by its name."""
    own = HERE / "scenarios" / f"{name}.py"
    return str(own) if own.exists() else name


def target(bug: str, folder: Path, *more: str) -> Path:
    """The manifest of a bug, or of several at once, written to `folder`; the sound reference's for ""."""
    return manifest(FILES[bug], folder, *(FILES[each] for each in more)) if bug else REFERENCE


def shake(name: str, target: Path, runs: Path, before: Sequence[str] = ()) -> tuple[int, VerdictDoc]:
    """Play a scenario on a target: the exit code, and the verdict. Raises AssertionError when there is none."""
    command = [*before, sys.executable, "-m", "shaketable.cli", "run", scenario(name), "--target", str(target)]
    done = subprocess.run([*command, "--runs", str(runs)], capture_output=True, text=True)
    verdict = runs / rundir.LATEST / rundir.VERDICT
    assert verdict.exists(), done.stdout + done.stderr
    return done.returncode, msgspec.json.decode(verdict.read_bytes(), type=VerdictDoc)
