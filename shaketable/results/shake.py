"""A shake inside a test suite: a separate process plays it, so that this process imports none of its modules."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shaketable.errors import HarnessError, InputError, ShaketableError
from shaketable.files import foreign
from shaketable.text import in_a_line

#: Seconds that an interrupted run may take to heal and stop; after that its supervisor cleans up.
END_S = 15
#: Errors by exit code, for codes that are not verdicts.
_ERRORS: dict[int, type[ShaketableError]] = {254: InputError, 255: HarnessError}


@dataclass(frozen=True)
class ShakeRequest:
    """The request in a mark: a scenario by name or file, and options for `shaketable run`."""

    scenario: str
    target: str = ""  # the manifest; "": the reference
    seed: int | None = None
    budget: tuple[tuple[str, float], ...] = ()

    def command(self) -> list[str]:
        """The arguments of `shaketable`."""
        given = {"--target": self.target, "--seed": "" if self.seed is None else str(self.seed)}
        options = [part for name, value in given.items() if value for part in (name, value)]
        budgets = [part for name, value in self.budget for part in ("--budget", f"{name}={value!r}")]
        return ["run", self.scenario, *options, *budgets]


@dataclass(frozen=True)
class CheckResult:
    """The result of one check; `required` means that the scenario names it, so that it counts."""

    verdict: str  # passed, failed, unknown, not applicable
    why: str = ""
    counts: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, list[str]] = field(default_factory=dict)
    required: bool = False


@dataclass(frozen=True, repr=False)
class ShakeResult:
    """The verdict of a run; its directory holds the evidence."""

    scenario: str
    verdict: str  # passed, failed, unknown
    checks: Mapping[str, CheckResult]
    run: Path
    reasons: tuple[str, ...] = ()  # reasons why the run cannot be judged, regardless of its checks
    figures: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every required check passed; unknown does not count as passed."""
        return self.verdict == "passed"

    def __repr__(self) -> str:
        return f"<shake {self.scenario}: {self.verdict}, {self.run}>"

    def __str__(self) -> str:
        """The verdict, a sentence for each required check that did not pass, and the run directory."""
        bad = {name: found for name, found in self.checks.items() if found.required and found.verdict != "passed"}
        lines = [f"{name}: {found.verdict}: {found.why}" for name, found in bad.items()]
        told = "\n".join(f"  {in_a_line(line)}" for line in (*self.reasons, *lines))
        return f"shake {self.scenario}: {self.verdict.upper()}\n{told}\n  run: {self.run}".replace("\n\n", "\n")


def read(run: Path) -> ShakeResult:
    """Read the verdict of a judged run directory."""
    doc = json.loads(foreign.read(run / "verdict.json"))
    known = {each.name for each in fields(CheckResult)}
    checks = {
        name: CheckResult(**{key: found[key] for key in known & found.keys()}) for name, found in doc["checks"].items()
    }
    return ShakeResult(doc["scenario"], doc["verdict"], checks, run, tuple(doc["reasons"]), doc["figures"])


def play(asked: ShakeRequest, runs: Path, root: Path) -> ShakeResult:
    """Run and judge a scenario with the working folder `root`. Raises ShaketableError when that is not possible."""
    with TemporaryDirectory(prefix="shaketable-") as folder:
        table = Path(folder) / "table.json"
        code, said = command([*asked.command(), "--runs", str(runs), "--json", str(table)], root)
        told: dict[str, Any] = json.loads(table.read_text(encoding="utf-8")) if table.exists() else {"runs": []}
    if code not in (0, 1, 2) or not told["runs"]:
        why = [run["why"] for run in told["runs"]]
        raise error(code, "".join(why) or said)
    return read(root / told["runs"][0]["run"])


def error(code: int, said: str) -> ShaketableError:
    """The error for an exit code that is no verdict."""
    return _ERRORS.get(code, HarnessError)(said or f"it ended with {code}")


def command(arguments: list[str], root: Path) -> tuple[int, str]:
    """Run `shaketable` in the folder `root`, print its output, and return the exit code and the last error line."""
    words = [sys.executable, "-P", "-m", "shaketable.cli", *arguments]  # -P: `root` may hold a queue.py
    child = subprocess.Popen(
        words,
        cwd=root,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = child.communicate()
    except BaseException:  # Ctrl-C, or the test's timeout: end the child
        _end(child)
        raise
    print(out, err, sep="")
    return child.returncode, err.strip().rpartition("\n")[2].removeprefix("shaketable: ")


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.communicate(timeout=END_S)
    except subprocess.TimeoutExpired:
        child.kill()
