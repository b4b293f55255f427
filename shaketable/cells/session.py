"""A session of cells: their store and their workers, and the folder of each cell when it is done."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shaketable import rundir
from shaketable.cells.cluster import CellCluster
from shaketable.cells.machines import Machines
from shaketable.cells.store import INPUTS, ResultStore
from shaketable.cells.task import ANSWER, CellAnswer, CellTask
from shaketable.errors import HarnessError
from shaketable.rundir import VERDICT, RunDir


@dataclass(frozen=True)
class FinishedCell:
    """A cell that was played, or lost. Its folder exists until the next cell is asked for."""

    number: int  # of its task
    folder: Path | None  # None for a lost cell
    machine: str  # "" for a lost cell
    why: str  # why it was lost, or the last line of its errors
    exit_code: int = HarnessError.exit_code  # of its command


class CellSession:
    """The store, and the cluster within it."""

    def __init__(self, machines: Machines, scratch: Path) -> None:
        self._machines, self._scratch = machines, scratch
        self._url = machines.url(scratch / "results")
        self._store = ResultStore(self._url)

    def task(self, digest: str, words: Sequence[str], fresh: bool = False, whole: str = VERDICT) -> CellTask:
        """The task of a command; `fresh` removes its archive from the store. A cell that has a file `whole` is done."""
        made = CellTask(digest, tuple(words), self._url, whole=whole)
        if fresh:
            self._store.remove(made.place)
        return made

    def give(self, digest: str, folder: Path) -> str:
        """Put inputs into the store, once, and return the name of their archive."""
        name = f"{INPUTS}/{digest}"
        if not self._store.has(name):
            self._store.put(name, folder)
        return name

    def workers(self) -> int:
        """How many workers there are, at least one: of a scheduler those that it has now."""
        if self._machines.jobs:
            return self._machines.jobs
        with CellCluster(self._machines, self._scratch / "workers") as cluster:
            return max(1, cluster.workers())

    def left(self, tasks: Mapping[int, CellTask]) -> Iterator[FinishedCell]:
        """Yield those of these cells, by number, that came to a whole folder while nobody waited for them any more."""
        for number, task in tasks.items():
            if self._store.has(task.place):
                with TemporaryDirectory(dir=self._scratch) as folder:
                    yield self._fetched(number, task, Path(folder))

    def forget(self, task: CellTask) -> None:
        """Remove the cell's folder from the store, if it has one."""
        if self._store.has(task.place):
            self._store.remove(task.place)

    def play(self, tasks: Sequence[CellTask]) -> Generator[FinishedCell, None, None]:
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
        said = answer.said or f"its command ended with {answer.exit_code}"
        return FinishedCell(number, folder, answer.machine, said, answer.exit_code)


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
