"""Cells on a cluster of Dask: each once, whatever becomes of a worker, and none without a worker."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import msgspec
import psutil
import pytest

from shaketable.cells import task as tasks
from shaketable.cells.machines import Machines
from shaketable.cells.session import CellSession, FinishedCell
from shaketable.cells.store import INPUTS, ResultStore
from shaketable.cells.task import OUT
from tests.locustfiles.test_alone import await_that

pytestmark = pytest.mark.slow
#: A scenario that is no scenario: it says where it runs, and stays there at its first time.
STAYS = """
import os, pathlib, time

place = pathlib.Path(__file__).with_suffix(f".{os.getpid()}")
first = not list(place.parent.glob(f"{place.stem}.[0-9]*"))
place.touch()
if first:
    time.sleep(600)
"""
#: The same with a file by which its cell is whole.
HALF = """
import os, pathlib, sys, time

pathlib.Path(sys.argv[-1], "whole.json").touch()
pathlib.Path(__file__).with_suffix(f".{os.getpid()}").touch()
time.sleep(600)
"""


@pytest.fixture
def session(tmp_path: Path) -> CellSession:
    (tmp_path / "scratch").mkdir()
    return CellSession(Machines(2), tmp_path / "scratch")


@pytest.fixture
def stays(tmp_path: Path) -> Path:
    path = tmp_path / "stays.py"
    path.write_text(STAYS)
    return path


def played(stays: Path) -> list[int]:
    """The processes of the cell, in no order."""
    return [int(path.suffix[1:]) for path in stays.parent.glob("stays.[0-9]*")]


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_each_cell_comes_back_once_and_one_that_fails_says_why(session: CellSession) -> None:
    words = [["init", f"{OUT}/mine"], ["init", f"{OUT}/mine"], ["run", "no_such_scenario"]]
    found = {}
    for done in session.play([session.task(str(n), each) for n, each in enumerate(words)]):
        assert done.number not in found
        assert done.folder is not None
        found[done.number] = (done.machine, (done.folder / "mine" / "target.toml").exists(), done.why)
    assert [found[n][:2] for n in range(3)] == [(tasks.machine(), True)] * 2 + [(tasks.machine(), False)]
    assert "no_such_scenario" in found[2][2]


def test_killed_worker_costs_its_cell_alone_which_is_played_again(session: CellSession, stays: Path) -> None:
    cells = [session.task("stays", ["run", str(stays)]), *(session.task(str(n), ["init", OUT + "/x"]) for n in (1, 2))]
    done: list[FinishedCell] = []
    for each in session.play(cells):
        done.append(each)
        if len(done) == 2:  # the other worker has played these
            await_that(lambda: bool(played(stays)))
            [cell] = played(stays)
            worker = psutil.Process(cell).parent()
            assert worker is not None
            worker.kill()
    assert sorted(each.number for each in done) == [0, 1, 2]
    assert done[-1].machine == tasks.machine()
    await_that(lambda: all(map(gone, played(stays))))
    assert len(played(stays)) == 2


def test_cells_and_workers_end_when_nobody_waits_for_them(session: CellSession, stays: Path) -> None:
    cells = session.play([session.task("stays", ["run", str(stays)]), session.task("1", ["init", f"{OUT}/x"])])
    next(cells)
    await_that(lambda: len(played(stays)) == 1)
    [cell] = played(stays)
    worker = psutil.Process(cell).parent()
    assert worker is not None
    cells.close()
    assert gone(cell)
    assert gone(worker.pid)


def test_cluster_listens_on_loopback_alone_whoever_has_its_usual_port(session: CellSession, stays: Path) -> None:
    heard = set[str]()
    with socket.create_server(("127.0.0.1", 0 if in_use(8787) else 8787)):
        before = listening()
        for _ in session.play([session.task(str(n), ["init", OUT + "/x"]) for n in (1, 2)]):
            heard |= listening() - before
    assert len(heard) > 2  # the scheduler, and a nanny and a worker of each
    assert {address.rpartition(":")[0] for address in heard} == {"127.0.0.1"}


def in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def listening() -> set[str]:
    """The addresses at which this process and its children listen."""
    me, found = psutil.Process(), set[str]()
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # the command of a cell ends meanwhile
            told = process.net_connections("tcp")
            found |= {f"{each.laddr.ip}:{each.laddr.port}" for each in told if each.status == psutil.CONN_LISTEN}
    return found


def test_finished_cell_is_not_played_again(session: CellSession, stays: Path, tmp_path: Path) -> None:
    made = session.task("there", ["run", str(stays)])
    (tmp_path / "cell").mkdir()
    (tmp_path / "cell" / "verdict.json").write_text("{}")
    ResultStore(made.results).put(made.place, tmp_path / "cell")
    assert tasks.play(made, lambda: False) == made.place
    assert session.task("there", [], fresh=True) == msgspec.structs.replace(made, words=())
    assert not ResultStore(made.results).has(made.place)


def test_inputs_are_in_the_folder_and_a_verdict_makes_the_cell_final(session: CellSession, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "verdict.json").write_text("{}")
    name = session.give("d1", tmp_path / "given")
    made = msgspec.structs.replace(session.task("judged", ["--version"]), inputs=((name, "mine"),))
    assert (name, tasks.play(made, lambda: False)) == (f"{INPUTS}/d1", made.place)


def test_cell_that_nobody_wants_ends(session: CellSession, stays: Path) -> None:
    with pytest.raises(InterruptedError):
        tasks.play(session.task("stays", ["run", str(stays)]), lambda: bool(played(stays)))
    assert all(map(gone, played(stays)))


def test_cell_that_nobody_wants_any_more_leaves_what_is_whole(session: CellSession, tmp_path: Path) -> None:
    (half := tmp_path / "stays.py").write_text(HALF)
    words = [["run", str(half), "--runs", OUT], ["init", f"{OUT}/x"]]
    tasks_ = {n: session.task(str(n), each, whole="whole.json") for n, each in enumerate(words)}
    cells = session.play(list(tasks_.values()))
    next(cells)
    await_that(lambda: len(played(half)) == 1)
    cells.close()
    assert all(map(gone, played(half)))
    found = [(cell.number, cell.exit_code, cell.machine) for cell in session.left(tasks_)]
    assert found == [(0, 255, tasks.machine())]


def test_worker_of_another_version_is_refused(session: CellSession) -> None:
    other = msgspec.structs.replace(session.task("x", ["--version"]), version="0.0.1")
    with pytest.raises(RuntimeError, match=r"0\.0\.1"):
        tasks.play(other, lambda: False)
