"""A share of an exploration that several workers play, and its outcome as a file for the command that merges them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.errors import InputError
from shaketable.explore.explored import Explored
from shaketable.explore.failed_run import scenario_of
from shaketable.explore.found import Found
from shaketable.explore.saved import Position
from shaketable.results.result import Covered

#: The outcome of a share, in the folder of its findings; its presence says that the share has ended.
FILE = "share.json"


class TrialShare(NamedTuple):
    """Every `of`-th trial, from `first + number` on: the shares of an exploration hold each of its trials once."""

    number: int = 0
    of: int = 1
    first: int = 0  # the number of the exploration's first trial

    @classmethod
    def parse(cls, word: str) -> Self:
        """Read `NUMBER/OF/FIRST`. Raises InputError."""
        try:
            number, of, first = map(int, word.split("/"))
        except ValueError:
            number = of = first = -1
        if not 0 <= number < of or first < 0:
            raise InputError(f"expected a share as NUMBER/OF/FIRST, got {word!r}: 0/2/0 is the first of two")
        return cls(number, of, first)

    @property
    def word(self) -> str:
        return f"{self.number}/{self.of}/{self.first}"

    @property
    def begin(self) -> int:
        """The number of its own first trial."""
        return self.first + self.number


#: Of one.
ALL = TrialShare()


class SharedFinding(msgspec.Struct, frozen=True):
    """A finding of a share; its file and its run directory are in the same folder, by their names."""

    check: str
    scenario: dict[str, Any]
    failed: int
    of: int
    why: str
    trials: tuple[int, int]  # to find, to shrink
    seconds: tuple[float, float]
    file: str = ""
    run: str = ""
    doc: VerdictDoc | None = None

    def found(self) -> Found:
        """The finding, without paths."""
        found_in, shrunk_in = zip(self.trials, self.seconds, strict=True)
        return Found(
            self.check, scenario_of(self.scenario), self.failed, self.of, self.why, *found_in, *shrunk_in, doc=self.doc
        )


class ShareOutcome(msgspec.Struct, frozen=True):
    """share.json: where the share ended, and what it found."""

    position: Position
    doubts: list[str]  # why trials were unknown
    findings: list[SharedFinding]
    coverage: list[Covered]


def write(made: Explored, position: Position) -> None:
    """Write the outcome into the folder of findings. Raises HarnessError."""
    findings = [_finding(one) for one in made.found]
    outcome = ShareOutcome(position, made.progress.totals.doubts, findings, made.coverage.rows())
    made.out.mkdir(parents=True, exist_ok=True)
    rundir.write_json(made.out / FILE, outcome)


def read(folder: Path) -> ShareOutcome | None:
    """The outcome in this folder; None for a share that wrote none. Raises RunDirError."""
    return rundir.read_json(folder / FILE, ShareOutcome) if (folder / FILE).is_file() else None


def _finding(one: Found) -> SharedFinding:
    return SharedFinding(
        one.check,
        one.scenario.to_json(),
        one.failed,
        one.of,
        one.why,
        (one.find_trials, one.shrink_trials),
        (one.find_s, one.shrink_s),
        one.file.name if one.file else "",
        one.run.name if one.run else "",
        one.doc,
    )
