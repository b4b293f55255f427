"""A comparison: several targets under the same scenarios and seeds, a folder with a cell for each run.

    comparison.json                      the last request, and earlier ones
    .inputs/SCENARIO/seed-1-MIX/         scenario, corpus and schedule: byte for byte the same for every target
    TARGET/SCENARIO/seed-1/cell.json     its outcome; without this file the cell is still to be played
    TARGET/SCENARIO/seed-1/2026…/        its run directory

A trial is identified by its seed: other seeds, scenarios or targets are additional cells and leave existing ones alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from shaketable import resources, rundir
from shaketable.errors import RunDirError
from shaketable.files import foreign
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.rundir import RunDir
from shaketable.runner import inputs
from shaketable.runner.scenario import Scenario

FILE, CELL, INPUTS, PAGE = "comparison.json", "cell.json", ".inputs", "compare.html"
#: The default scenarios: one for each way in which events get lost or duplicated.
SCENARIOS = (
    "calm",
    "postgres_outage",
    "redis_drops",
    "worker_killed",
    "worker_frozen",
    "redis_crash",
    "commit_replies_lost",
)
#: Outcomes of a judged cell; a cell with another outcome is played again.
JUDGED = ("passed", "failed", "unknown")


class ComparisonRequest(msgspec.Struct, frozen=True):
    """comparison.json."""

    schema: int
    targets: list[str]
    scenarios: list[str]
    seeds: list[int]
    manifests: dict[str, str] = {}  # paths of targets that were not given by name
    files: dict[str, str] = {}  # and of scenarios
    before: list[ComparisonRequest] = []  # earlier requests, oldest first, without duplicates

    @property
    def calls(self) -> list[ComparisonRequest]:
        """All requests, oldest first."""
        return [*self.before, msgspec.structs.replace(self, before=[])]


class Cell(msgspec.Struct, frozen=True):
    """cell.json: one run of one target."""

    target: str
    scenario: str
    seed: int
    outcome: str  # of JUDGED, or skipped (not possible on this machine), or error (no verdict)
    why: str = ""  # the reason for a missing verdict
    exit_code: int = 0  # of its run
    seconds: float = 0.0  # total, with setup and judgement
    run: str = ""  # the run directory's name, in the same folder
    inputs: str = ""  # digest of scenario, corpus and schedule
    manifest: str = ""  # digest of the manifest
    code: str = ""  # digest of the code and its requirements; "" if unknown
    machine: str = ""  # of the worker that played it; "": the machine of the comparison


class Announced(NamedTuple):
    """What all targets of a comparison say of audit events, so that all can be sent events at its edge."""

    max_bytes: int | None = None  # the smallest limit of a body; None if a target has none
    numbers: bool = False  # whether each says how it keeps numbers

    @property
    def suffix(self) -> str:
        """What it adds to the name of inputs."""
        return f"-{self.max_bytes}" * bool(self.max_bytes) + "-numbers" * self.numbers


NOTHING = Announced()


class Comparison:
    """A comparison's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, target: str, scenario: str, seed: int) -> Path:
        """The folder of a cell."""
        return self.path / tidy(target) / tidy(scenario) / f"seed-{seed}"

    def begin(self, asked: ComparisonRequest) -> None:
        """Record a request and retain earlier ones. Raises HarnessError when the file cannot be written."""
        self.path.mkdir(parents=True, exist_ok=True)
        earlier = self.asked.calls if (self.path / FILE).exists() else []
        before = [one for one in earlier if one != asked]
        rundir.write_json(self.path / FILE, msgspec.structs.replace(asked, before=before))

    @property
    def asked(self) -> ComparisonRequest:
        """The last request, with earlier ones. Raises RunDirError."""
        return rundir.read_json(self.path / FILE, ComparisonRequest)

    def keep(self, cell: Cell) -> None:
        """Save a cell's outcome. Raises HarnessError when the file cannot be written."""
        folder = self.folder(cell.target, cell.scenario, cell.seed)
        folder.mkdir(parents=True, exist_ok=True)
        rundir.write_json(folder / CELL, cell)

    def cell(self, target: str, scenario: str, seed: int) -> Cell | None:
        """A cell's outcome; None if it was not played to its end, or its file is unreadable."""
        return _read(self.folder(target, scenario, seed) / CELL)

    def cells(self) -> list[Cell]:
        """All saved cells."""
        found = (_read(path) for path in sorted(self.path.glob(f"*/*/seed-*/{CELL}")))
        return [cell for cell in found if cell is not None]

    def run(self, cell: Cell) -> RunDir | None:
        """A cell's run directory; None if there is none."""
        path = self.folder(cell.target, cell.scenario, cell.seed) / cell.run
        plain = not cell.run.startswith(".") and Path(cell.run).name == cell.run != ""  # a name, not a path
        return RunDir(path) if plain and os.path.lexists(path / rundir.SCENARIO) else None

    def inputs_folder(self, scenario: Scenario, own: OwnShapes | None, announced: Announced) -> RunDir:
        """The folder of those inputs, drawn or not."""
        mix = hashlib.sha256(msgspec.json.encode(asdict(scenario.mix))).hexdigest()[:8]
        name = f"seed-{scenario.seed}-{mix}" + (f"-{own.sources}" if own else announced.suffix)
        return RunDir(self.path / INPUTS / tidy(scenario.name) / name)

    def inputs(self, scenario: Scenario, own: OwnShapes | None = None, announced: Announced = NOTHING) -> RunDir:
        """The inputs of every target for this scenario and seed: drawn once, and again if the scenario has changed.

        `own` are the events of a target that has its own: only targets with the same ones are sent those. All others
        are sent audit events, with those at the edge of what all of them have `announced`. Targets of one mix get the
        same: a manifest may leave events out (`[mix]`).

        A corpus depends on the day and on Hypothesis's version, so a seed alone would not give later cells the same
        events. Raises HarnessError.
        """
        kept = self.inputs_folder(scenario, own, announced)
        told = msgspec.json.decode(msgspec.json.encode(scenario.to_json()))
        if not kept.has(rundir.SCENARIO) or rundir.read_json(kept / rundir.SCENARIO, Any) != told:
            kept.path.mkdir(parents=True, exist_ok=True)
            (kept / rundir.SCENARIO).unlink(missing_ok=True)
            inputs.draw(kept, scenario, own, max_bytes=announced.max_bytes, numbers=announced.numbers)
            rundir.write_json(kept / rundir.SCENARIO, told)  # last: marks the others as complete
        return kept


def find(path: Path) -> Comparison:
    """Open the comparison at `path`. Raises RunDirError when it is not a comparison."""
    if not (path / FILE).exists():
        raise RunDirError(
            f"expected a comparison's folder, got {path}: it holds no {FILE} (`shaketable compare` makes one)"
        )
    return Comparison(path)


def commands(calls: Sequence[ComparisonRequest], cells: Iterable[tuple[str, str, int]]) -> list[str]:
    """The commands that repeat these cells (target, scenario, seed): one per set of targets and range of seeds."""
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
    """Distinct names: known ones in their order, then the others."""
    found = dict.fromkeys(names)
    return [*(name for name in known if name in found), *(name for name in found if name not in set(known))]


def _stretches(seeds: Iterable[int]) -> list[list[int]]:
    """Group consecutive seeds."""
    found: list[list[int]] = []
    for seed in sorted(seeds):
        if found and seed == found[-1][-1] + 1:
            found[-1].append(seed)
        else:
            found.append([seed])
    return found


def digest(*files: Path) -> str:
    """A digest of the files' contents."""
    found = hashlib.sha256()
    for number, file in enumerate(files):
        found.update(b"\0" * bool(number))
        with rundir.unreadable(file), foreign.opened(file, foreign.LINES, follow=True) as content:
            while block := content.read(1 << 20):
                found.update(block)
    return found.hexdigest()[:16]


def digest_of_inputs(kept: RunDir) -> str:
    """The digest of a run's inputs: the same for `inputs` and for a run directory."""
    return digest(*(kept / name for name in (rundir.SCENARIO, rundir.CORPUS, rundir.SCHEDULE)))


def tidy(name: str) -> str:
    """A name as a folder name, without separators or leading dots."""
    return re.sub(r"[^\w.+-]", "-", name).lstrip(".") or "-"


def _read(path: Path) -> Cell | None:
    try:
        return rundir.read_json(path, Cell)
    except RunDirError:
        return None
