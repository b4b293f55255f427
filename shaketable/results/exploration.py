"""An exploration inside a test suite: a separate process plays it, as it does a shake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shaketable.results import shake
from shaketable.text import in_a_line


@dataclass(frozen=True)
class ExploreRequest:
    """The request in a mark: the options of `shaketable explore`."""

    budget: str
    target: str = ""  # the manifest; "": the reference
    seed: int | None = None

    def command(self) -> list[str]:
        """The arguments of `shaketable`."""
        given = {"--target": self.target, "--seed": "" if self.seed is None else str(self.seed)}
        return [
            "explore",
            "--budget",
            self.budget,
            *(part for name, value in given.items() if value for part in (name, value)),
        ]


@dataclass(frozen=True)
class ExploreResult:
    """`findings` has a sentence for each finding; unknown is an exploration in which no trial could be judged."""

    verdict: str  # passed, failed, unknown
    findings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The verdict, and a line for each finding."""
        return "\n".join([f"exploration: {self.verdict.upper()}", *(f"  {in_a_line(one)}" for one in self.findings)])


def play(asked: ExploreRequest, out: Path, root: Path) -> ExploreResult:
    """Explore with the working folder `root`; findings go to `out`. Raises ShaketableError when it cannot."""
    with TemporaryDirectory(prefix="shaketable-") as folder:
        table = Path(folder) / "table.json"
        code, said = shake.command([*asked.command(), "--out", str(out), "--json", str(table)], root)
        told = json.loads(table.read_text(encoding="utf-8")) if table.exists() else {"runs": []}
    if code not in (0, 1, 2) or not told["runs"]:
        raise shake.error(code, said)
    bad = [run for run in told["runs"] if run["verdict"] != "passed"]
    return ExploreResult(told["verdict"], tuple(f"{run['scenario']}: {run['why'] or run['story']}" for run in bad))
