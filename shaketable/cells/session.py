"""A session of cells: their store and their workers, and the folder of each cell when it is done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shaketable import rundir
from shaketable.cells.cluster import CellCluster
from shaketable.cells.machines import Machines
from shaketable.cells.store import INPUTS, ResultStore
from shaketable.cells.task import ANSWER, CellAnswer, CellTask
from shaketable.rundir import RunDir


@dataclass(frozen=True)
class FinishedCell:
    """A cell that was played, or lost. Its folder exists until the next cell is asked for."""

    number: int  # of its task
    folder: Path | None  # None for a lost cell
    machine: str  # "" for a lost cell
    why: str  # why it was lost, or the last line of its errors


class CellSession:
    """The store, and the cluster within it."""

    def __init__(self, machines: Machines, scratch: Path) -> None:
        self._machines, self._scratch = machines, scratch
        self._url = machines.url(scratch / "results")
        self._store = ResultStore(self._url)

    def task(self, digest: str, words: Sequence[str], fresh: bool = False) -> CellTask:
        """The task of a command; `fresh` removes its archive from the store."""
        made = CellTask(digest, tuple(words), self._url)
        if fresh:
            self._store.remove(made.place)
        return made

    def give(self, digest: str, folder: Path) -> str:
        """Put inputs into the store, once, and return the name of their archive."""
        name = f"{INPUTS}/{digest}"
        if not self._store.has(name):
            self._store.put(name, folder)
        return name

    def play(self, tasks: Sequence[CellTask]) -> Iterator[FinishedCell]:
        """Play the cells, and yield each when it is done."""
        with CellCluster(self._machines, self._scratch / "workers") as cluster:
            for number, told in cluster.play(tasks):
                if told is not None:
                    yield FinishedCell(number, None, "", str(told))
                    continue
                with TemporaryDirectory(dir=self._scratch) as folder:
                    yield self._fetched(number, tasks[number], Path(folder))

    def _fetched(self, number: int, task: CellTask, folder: Path) -> FinishedCell:
        if self._store.has(task.place):
            self._store.get(task.place, folder)
        else:
            self._store.get(task.unjudged, folder)
            self._store.remove(task.unjudged)
        answer = rundir.read_json(folder / ANSWER, CellAnswer)
        return FinishedCell(number, folder, answer.machine, answer.said or f"its command ended with {answer.exit_code}")


@contextmanager
def opened(machines: Machines, within: Path) -> Iterator[CellSession]:
    """Open a session whose temporary files are in a hidden folder there."""
    within.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".cells-", dir=within.resolve(), ignore_cleanup_errors=True) as scratch:
        yield CellSession(machines, Path(scratch))


def moved(run: RunDir, folder: Path) -> RunDir:
    """Put a run directory into the folder, as its newest run; one of its name is the same run, collected before."""
    place = folder.resolve() / run.path.name
    folder.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        shutil.move(run.path, place)
    rundir.point_latest(folder.resolve(), place)
    return RunDir(place)
