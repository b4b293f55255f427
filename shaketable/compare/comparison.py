"""A comparison: several targets under the same scenarios and seeds, a folder with a cell for each run.

    comparison.json                      what was asked for last, and before
    .inputs/SCENARIO/seed-1/             scenario, corpus and schedule: byte for byte the same for every target
    TARGET/SCENARIO/seed-1/cell.json     what became of it; without it the cell is to be played
    TARGET/SCENARIO/seed-1/2026…/        its run directory

A trial is its seed: other seeds, scenarios or targets are further cells, and spoil none that is there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shaketable import resources, rundir
from shaketable.errors import RunDirError
from shaketable.files import foreign
from shaketable.rundir import RunDir
from shaketable.runner import inputs
from shaketable.runner.scenario import Scenario

FILE, CELL, INPUTS, PAGE = "comparison.json", "cell.json", ".inputs", "compare.html"
#: What is compared unless somebody says otherwise: one of each way in which events get lost or doubled.
SCENARIOS = (
    "calm",
    "postgres_outage",
    "redis_drops",
    "worker_killed",
    "worker_frozen",
    "redis_crash",
    "commit_replies_lost",
)
#: Outcomes of a cell that was played and judged; any other one is tried again.
JUDGED = ("passed", "failed", "unknown")


class ComparisonRequest(msgspec.Struct, frozen=True):
    """comparison.json."""

    schema: int
    targets: list[str]
    scenarios: list[str]
    seeds: list[int]
    manifests: dict[str, str] = {}  # how targets were called, where not by name
    files: dict[str, str] = {}  # and scenarios
    before: list[ComparisonRequest] = []  # earlier calls, the first first; of each its last time

    @property
    def calls(self) -> list[ComparisonRequest]:
        """All of them, the first first."""
        return [*self.before, msgspec.structs.replace(self, before=[])]


class Cell(msgspec.Struct, frozen=True):
    """cell.json: one run of one target."""

    target: str
    scenario: str
    seed: int
    outcome: str  # of JUDGED; skipped: it cannot be tried on this machine; error: there is no verdict
    why: str = ""  # there is none
    exit_code: int = 0  # of its run
    seconds: float = 0.0  # all of it, set-up and judging too
    run: str = ""  # the run directory's name, beside cell.json
    inputs: str = ""  # what it was asked: a digest of scenario, corpus and schedule
    manifest: str = ""  # of whom: a digest of the manifest
    code: str = ""  # and of the code beside what it requires; "" when nobody looked


class Comparison:
    """One folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, target: str, scenario: str, seed: int) -> Path:
        """Where a cell is."""
        return self.path / tidy(target) / tidy(scenario) / f"seed-{seed}"

    def begin(self, asked: ComparisonRequest) -> None:
        """Write down what is asked for, beside what was before. Raises HarnessError when the disk refuses it."""
        self.path.mkdir(parents=True, exist_ok=True)
        earlier = self.asked.calls if (self.path / FILE).exists() else []
        before = [one for one in earlier if one != asked]
        rundir.write_json(self.path / FILE, msgspec.structs.replace(asked, before=before))

    @property
    def asked(self) -> ComparisonRequest:
        """What was asked for last, and before. Raises RunDirError."""
        return rundir.read_json(self.path / FILE, ComparisonRequest)

    def keep(self, cell: Cell) -> None:
        """Write down what became of a cell. Raises HarnessError when the disk refuses it."""
        folder = self.folder(cell.target, cell.scenario, cell.seed)
        folder.mkdir(parents=True, exist_ok=True)
        rundir.write_json(folder / CELL, cell)

    def cell(self, target: str, scenario: str, seed: int) -> Cell | None:
        """What became of a cell; None when it was not played to its end, or nobody can read what became of it."""
        return _read(self.folder(target, scenario, seed) / CELL)

    def cells(self) -> list[Cell]:
        """All there are."""
        found = (_read(path) for path in sorted(self.path.glob(f"*/*/seed-*/{CELL}")))
        return [cell for cell in found if cell is not None]

    def run(self, cell: Cell) -> RunDir | None:
        """A cell's run directory; None when there is none."""
        path = self.folder(cell.target, cell.scenario, cell.seed) / cell.run
        ours = cell.run and cell.run == tidy(cell.run)  # a name, and nothing that leads elsewhere
        return RunDir(path) if ours and os.path.lexists(path / rundir.SCENARIO) else None

    def inputs(self, scenario: Scenario) -> RunDir:
        """What every target gets under this scenario and seed: drawn once, and anew when the scenario is another.

        A corpus depends on the day and on Hypothesis's version, so that a seed alone would not make cells alike that
        are played later. Raises HarnessError.
        """
        kept = RunDir(self.path / INPUTS / tidy(scenario.name) / f"seed-{scenario.seed}")
        told = msgspec.json.decode(msgspec.json.encode(scenario.to_json()))
        if not kept.has(rundir.SCENARIO) or rundir.read_json(kept / rundir.SCENARIO, Any) != told:
            kept.path.mkdir(parents=True, exist_ok=True)
            (kept / rundir.SCENARIO).unlink(missing_ok=True)
            inputs.draw(kept, scenario)
            rundir.write_json(kept / rundir.SCENARIO, told)  # last: the others are whole
        return kept


def find(path: Path) -> Comparison:
    """The comparison at `path`. Raises RunDirError when that is none."""
    if not (path / FILE).exists():
        raise RunDirError(
            f"expected a comparison's folder, got {path}: it holds no {FILE} (`shaketable compare` makes one)"
        )
    return Comparison(path)


def commands(calls: Sequence[ComparisonRequest], cells: Iterable[tuple[str, str, int]]) -> list[str]:
    """What repeats these cells (target, scenario, seed): one command for all scenarios that the same targets had.

    A gap in the seeds makes it two.
    """
    cells = list(cells)
    tried = {scenario: frozenset(cell[0] for cell in cells if cell[1] == scenario) for _, scenario, _ in cells}
    alike = [[cell for cell in cells if tried[cell[1]] == targets] for targets in dict.fromkeys(tried.values())]
    return [command for some in alike for command in _commands(calls, some)]


def _commands(calls: Sequence[ComparisonRequest], cells: Sequence[tuple[str, str, int]]) -> Iterator[str]:
    manifests = {name: told for one in calls for name, told in one.manifests.items()}
    files = {name: told for one in calls for name, told in one.files.items()}
    targets = [manifests.get(name, name) for name in in_order((cell[0] for cell in cells), resources.targets())]
    scenarios = ",".join(files.get(name, name) for name in in_order((cell[1] for cell in cells), SCENARIOS))
    for seeds in _stretches({cell[2] for cell in cells}):
        yield shlex.join(
            [
                "shaketable",
                "compare",
                *targets,
                "--scenarios",
                scenarios,
                "--trials",
                str(len(seeds)),
                "--seed",
                str(seeds[0]),
            ]
        )


def in_order(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Each once: those that are known in their order, then the others as they come."""
    found = dict.fromkeys(names)
    return [*(name for name in known if name in found), *(name for name in found if name not in set(known))]


def _stretches(seeds: Iterable[int]) -> list[list[int]]:
    """Neighbours together."""
    found: list[list[int]] = []
    for seed in sorted(seeds):
        if found and seed == found[-1][-1] + 1:
            found[-1].append(seed)
        else:
            found.append([seed])
    return found


def digest(*files: Path) -> str:
    """What changes when a file's content does."""
    found = hashlib.sha256()
    for number, file in enumerate(files):
        found.update(b"\0" * bool(number))
        with rundir.unreadable(file), foreign.opened(file, foreign.LINES, follow=True) as content:
            while block := content.read(1 << 20):
                found.update(block)
    return found.hexdigest()[:16]


def digest_of_inputs(kept: RunDir) -> str:
    """Of what a target was asked: of `inputs`, and the same of a run directory."""
    return digest(*(kept / name for name in (rundir.SCENARIO, rundir.CORPUS, rundir.SCHEDULE)))


def tidy(name: str) -> str:
    """A name as a folder: no separator, and nothing that leads elsewhere."""
    return re.sub(r"[^\w.+-]", "-", name).lstrip(".") or "-"


def _read(path: Path) -> Cell | None:
    try:
        return rundir.read_json(path, Cell)
    except RunDirError:
        return None
