"""A cell as a task of Dask: a command in a process of its own, whose folder goes to the store."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.cells.store import CELLS, UNJUDGED, ResultStore

#: Stands in the words of a command for the folder that it fills.
OUT = "{out}"
#: Describes the cell, in its folder.
ANSWER = "answer.json"
#: Seconds that a cell may take to heal and stop; more than it gives itself (`shaketable.cli.in_cell`).
END_S = 25.0
#: Seconds between two looks at whether anybody still wants the cell.
LOOK_S = 0.5
#: Set by Dask for its workers; the processes of a run have the same environment with Dask and without it.
OF_DASK = ("MALLOC_TRIM_THRESHOLD_", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class CellTask(msgspec.Struct, frozen=True):
    """A command to play; with the same `digest`, it is the same cell."""

    digest: str
    words: tuple[str, ...]  # of `shaketable`; OUT is the folder
    results: str  # the store's URL
    inputs: tuple[tuple[str, str], ...] = ()  # archives of the store, and where in the folder they are expected
    version: str = version("shaketable")
    whole: str = rundir.VERDICT  # a file that says, wherever in the folder, that the cell has come to its end

    def with_inputs(self, inputs: Iterable[tuple[str, str]]) -> CellTask:
        """The same with inputs."""
        return msgspec.structs.replace(self, inputs=tuple(inputs))

    @property
    def place(self) -> str:
        """The archive of the cell once it has a verdict."""
        return f"{CELLS}/{self.digest}"

    @property
    def unjudged(self) -> str:
        """The archive of the cell until it has one."""
        return f"{UNJUDGED}/{self.digest}"


class CellAnswer(msgspec.Struct, frozen=True):
    """answer.json: how a cell ended, and where."""

    machine: str
    exit_code: int
    said: str = ""  # the last line of its errors


def play(task: CellTask, unwanted: Callable[[], bool], scratch: Path | None = None) -> str:
    """Play the cell unless the store has it, and return the name of its archive.

    `unwanted` says whether the cell is to end; the store gets its folder even so, if it is whole.
    Dask plays finished cells of a dead worker again, so the store decides.

    Raises InterruptedError for a cell that nobody wants any more.
    """
    if task.version != version("shaketable"):
        raise RuntimeError(f"expected shaketable {task.version} on {machine()}, got {version('shaketable')}")
    store = ResultStore(task.results)
    if store.has(task.place):
        return task.place
    with tempfile.TemporaryDirectory(prefix="shaketable-cell-", dir=scratch, ignore_cleanup_errors=True) as folder:
        out = Path(folder) / "out"
        out.mkdir()
        for name, place in task.inputs:
            store.get(name, out / place)
        code, said, wanted = _command([word.replace(OUT, str(out)) for word in task.words], unwanted)
        rundir.write_json(out / ANSWER, CellAnswer(machine(), code, said))
        whole = any(out.rglob(task.whole))
        place = task.place if whole else task.unjudged
        if whole or wanted:
            store.put(place, out)
    if not wanted:
        raise InterruptedError("the cell is not wanted any more")
    return place


def machine() -> str:
    """The name of this machine in tables."""
    return os.uname().nodename or "localhost"


def _command(words: list[str], unwanted: Callable[[], bool]) -> tuple[int, str, bool]:
    """Run `shaketable`: its exit code, its last line of errors, and whether somebody wanted it until its end.

    The pipe closes with this process, however that ends, and the command ends with the pipe.
    """
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "shaketable.cli.in_cell", *words],
            env=_environment(os.environ), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        try:
            while (wanted := not unwanted()) and not _ended(child, LOOK_S):
                pass
        finally:
            assert child.stdin is not None
            child.stdin.close()
            if not _ended(child, END_S):
                child.kill()  # its supervisor ends its servers
                child.wait()
        errors.seek(0)
        last = errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
    return child.returncode, last.removeprefix("shaketable: "), wanted


def _ended(child: subprocess.Popen[bytes], within_s: float) -> bool:
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _environment(told: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if name not in OF_DASK}
