"""Play cells of a comparison on several machines: each is a comparison of one target, scenario and seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shaketable.cells.machines import Machines
from shaketable.compare import targets
from shaketable.compare.comparison import JUDGED, Cell, Comparison
from shaketable.compare.targets import ComparedTarget
from shaketable.errors import HarnessError
from shaketable.rundir import RunDir
from shaketable.runner.scenario import Scenario

if TYPE_CHECKING:
    from shaketable.cells.session import CellSession, FinishedCell
    from shaketable.cells.task import CellTask


@dataclass(frozen=True)
class MissingCell:
    """A cell to play, the words that name its target and scenario, and its digests as in cell.json."""

    target: ComparedTarget
    scenario: Scenario
    words: tuple[str, str]
    inputs: RunDir | None  # None if its events cannot be drawn, which the cell says
    digests: tuple[str, str, str]  # of inputs, manifest and code

    @property
    def place(self) -> tuple[str, str, int]:
        """Its place in a comparison."""
        return self.target.name, self.scenario.name, self.scenario.seed

    @property
    def command(self) -> list[str]:
        """The command that plays it, without the folder."""
        target, scenario = self.words
        return ["compare", target, "--scenarios", scenario, "--trials", "1", "--seed", str(self.scenario.seed)]

    @property
    def digest(self) -> str:
        """The same for a cell with the same inputs, manifest and code."""
        return hashlib.sha256(msgspec.json.encode([*self.command, *self.digests])).hexdigest()[:24]

    @property
    def expected(self) -> str:
        """Where that command looks for the inputs, within the folder: no other target announces anything there."""
        own = targets.announced([self.target])
        return str(Comparison(Path()).inputs_folder(self.scenario, self.target.shapes, own).path)


def play(held: Comparison, missing: Sequence[MissingCell], machines: Machines, fresh: bool) -> Iterator[Cell]:
    """Play the cells, save each when it is done, and yield it."""
    from shaketable.cells import session

    with session.opened(machines, held.path) as opened:
        tasks = [_task(opened, cell, fresh) for cell in missing]
        for done in opened.play(tasks):
            found = _collected(held, missing[done.number], done)
            if found.outcome not in JUDGED:
                opened.forget(tasks[done.number])  # a later comparison plays it
            held.keep(found)
            yield found


def _task(opened: CellSession, cell: MissingCell, fresh: bool) -> CellTask:
    from shaketable.cells.task import OUT

    made = opened.task(cell.digest, [*cell.command, "--runs", OUT], fresh)
    if cell.inputs is None:
        return made
    given = opened.give(cell.digests[0], cell.inputs.path)
    return msgspec.structs.replace(made, inputs=((given, cell.expected),))


def _collected(held: Comparison, cell: MissingCell, done: FinishedCell) -> Cell:
    """The cell's outcome; its run directory is moved to its place."""
    from shaketable.cells import session

    played = Comparison(done.folder) if done.folder else None
    found = played.cell(*cell.place) if played else None
    if played is None or found is None:
        code = HarnessError.exit_code
        return Cell(*cell.place, "error", done.why, code, 0.0, "", *cell.digests, machine=done.machine)
    if (run := played.run(found)) is not None:
        session.moved(run, held.folder(*cell.place))
    return msgspec.structs.replace(found, machine=done.machine)
