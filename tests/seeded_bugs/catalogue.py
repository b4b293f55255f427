"""All seeded bugs by name, and one real run of one of them."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.checks import CHECKS
from shaketable.checks.verdict import VerdictDoc
from tests.seeded_bugs.bug import HERE, REFERENCE, Bug, manifest

#: The file of each bug by its name, in the folder of the check that must catch it.
FILES = {path.stem: path for path in sorted(HERE.glob("*/*.py")) if "\nBUG = " in path.read_text()}
BUGS: dict[str, Bug] = {name: runpy.run_path(str(path))["BUG"] for name, path in FILES.items()}


def by_the_clock(bug: Bug) -> bool:
    """Whether only times show the bug: beside other runs its check may be unknown."""
    return bool(getattr(CHECKS.kinds()[bug.caught_by], "by_the_clock", False))


def shipped(bug: Bug) -> str:
    """The scenario of the package that shows the bug; "" if none is known to."""
    own = (HERE / "scenarios" / f"{bug.shown_by}.py").exists()
    return bug.shipped or ("" if own else bug.shown_by)


def scenario(name: str) -> str:
    """A scenario of the seeded bugs by its file; any other by its name."""
    own = HERE / "scenarios" / f"{name}.py"
    return str(own) if own.exists() else name


def target(bug: str, folder: Path, *more: str) -> Path:
    """The manifest of a bug, or of several at once, written to `folder`; the sound reference's for ""."""
    if not bug:
        return REFERENCE
    return manifest(FILES[bug], folder, *(FILES[each] for each in more), claims=BUGS[bug].claims)


def shake(
    name: str, target: Path, runs: Path, before: Sequence[str] = (), seed: int | None = None
) -> tuple[int, VerdictDoc]:
    """Play a scenario on a target: the exit code, and the verdict. Raises AssertionError when there is none."""
    seeded = [] if seed is None else ["--seed", str(seed)]
    command = [*before, sys.executable, "-m", "shaketable.cli", "run", scenario(name), "--target", str(target)]
    done = subprocess.run([*command, "--runs", str(runs), *seeded], capture_output=True, text=True)
    verdict = runs / rundir.LATEST / rundir.VERDICT
    assert verdict.exists(), done.stdout + done.stderr
    return done.returncode, msgspec.json.decode(verdict.read_bytes(), type=VerdictDoc)
