"""A shake as a test sees it: played by a process of its own, so that nothing of it is imported here; its verdict."""

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

#: Seconds that an interrupted run may take to heal and end what it started; its supervisor does so afterwards.
END_S = 15
#: What to raise for an exit code that is no verdict.
_ERRORS: dict[int, type[ShaketableError]] = {254: InputError, 255: HarnessError}


@dataclass(frozen=True)
class ShakeRequest:
    """What a mark asks for: a scenario by name or file, and what `shaketable run` would be told."""

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
    """What one check found; `required` is whether the scenario names it, so that it counts."""

    verdict: str  # passed, failed, unknown, not applicable
    why: str = ""
    counts: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, list[str]] = field(default_factory=dict)
    required: bool = False


@dataclass(frozen=True, repr=False)
class ShakeResult:
    """The verdict of a run; all else is in its directory."""

    scenario: str
    verdict: str  # passed, failed, unknown
    checks: Mapping[str, CheckResult]
    run: Path
    reasons: tuple[str, ...] = ()  # why the run cannot be judged, whatever the checks say
    figures: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every check that counts did; unknown is not passed."""
        return self.verdict == "passed"

    def __repr__(self) -> str:
        return f"<shake {self.scenario}: {self.verdict}, {self.run}>"

    def __str__(self) -> str:
        """The verdict, a sentence for each check that counts and did not pass, and where to look."""
        bad = {name: found for name, found in self.checks.items() if found.required and found.verdict != "passed"}
        lines = [f"{name}: {found.verdict}: {found.why}" for name, found in bad.items()]
        told = "\n".join(f"  {line}" for line in (*self.reasons, *lines))
        return f"shake {self.scenario}: {self.verdict.upper()}\n{told}\n  run: {self.run}".replace("\n\n", "\n")


def read(run: Path) -> ShakeResult:
    """The verdict of a run directory that was judged."""
    doc = json.loads(foreign.read(run / "verdict.json"))
    known = {each.name for each in fields(CheckResult)}
    checks = {
        name: CheckResult(**{key: found[key] for key in known & found.keys()}) for name, found in doc["checks"].items()
    }
    return ShakeResult(doc["scenario"], doc["verdict"], checks, run, tuple(doc["reasons"]), doc["figures"])


def play(asked: ShakeRequest, runs: Path, root: Path) -> ShakeResult:
    """Shake, from the folder `root`, and judge. Raises ShaketableError for what cannot be played or judged."""
    with TemporaryDirectory(prefix="shaketable-") as folder:
        table = Path(folder) / "table.json"
        code, said = _run([*asked.command(), "--runs", str(runs), "--json", str(table)], root)
        told: dict[str, Any] = json.loads(table.read_text(encoding="utf-8")) if table.exists() else {"runs": []}
    if code not in (0, 1, 2) or not told["runs"]:
        why = [run["why"] for run in told["runs"]]
        raise _ERRORS.get(code, HarnessError)("".join(why) or said or f"it ended with {code}")
    return read(root / told["runs"][0]["run"])


def _run(arguments: list[str], root: Path) -> tuple[int, str]:
    """The exit code and the last line of stderr; all output is shown, so that pytest captures it."""
    command = [sys.executable, "-P", "-m", "shaketable.cli", *arguments]  # -P: `root` may hold a queue.py
    child = subprocess.Popen(
        command,
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
    except BaseException:  # Ctrl-C, or the test's time-out: nothing may stay running
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
