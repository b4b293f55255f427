"""A comparison and runs on a cluster, with real servers: every cell once, whatever becomes of a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from shaketable.cells import task as tasks
from shaketable.compare import run_index
from shaketable.compare.comparison import Comparison
from tests.cli.test_cli import ROOT
from tests.compare.test_command import SCENARIO
from tests.locustfiles.test_alone import await_that

#: Two runs at once disturb each other, so the harness may be late; nothing is lost.
SOUND = {"passed", "unknown"}
pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "brief.py"
    path.write_text(SCENARIO)
    return path


@contextmanager
def started(*words: str | Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program of this Python; it ends with the test."""
    with out.open("wb") as log:
        program = [sys.executable, "-m", *map(str, words)]
        process = subprocess.Popen(program, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def scheduler(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler and its workers, one run at a time on each."""
    file = folder / "scheduler.json"
    here = ["--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    words: list[str | Path] = [*here, "--port", "0", "--scheduler-file", file]
    with started("distributed.cli.dask_scheduler", *words, out=folder / "scheduler.log"):
        await_that(lambda: file.exists() and bool(file.read_text()), 60)
        address = json.loads(file.read_text())["address"]
        each = [address, "--nthreads", "1", "--resources", "cell=1", *here]
        with (
            started("distributed.cli.dask_worker", *each, "--nworkers", str(workers), "--local-directory", folder / "w",
                    out=folder / "workers.log"),
        ):  # fmt: skip
            yield address


def cells_of(folder: Path) -> list[psutil.Process]:
    """The processes of cells whose folders are there."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if "shaketable.cli.in_cell" in line and str(folder) in line:
            found.append(process)
    return found


def servers_of(cells: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for cell in cells:
        with suppress(psutil.NoSuchProcess):
            found += cell.children(recursive=True)
    return found


def cell_with_servers(folder: Path) -> psutil.Process:
    """Wait until a cell has some."""
    found: list[psutil.Process] = []

    def one_has() -> bool:
        found.extend(cell for cell in cells_of(folder) if len(servers_of([cell])) > 4)
        return bool(found)

    await_that(one_has, 150)
    return found[0]


@pytest.mark.long
def test_killed_worker_costs_its_cell_alone_and_leaves_no_process(scenario: Path, tmp_path: Path) -> None:
    runs, results = tmp_path / "compare", tmp_path / "results"
    with scheduler(tmp_path, 2) as address:
        words: list[str | Path] = ["reference", "--scenarios", scenario, "--trials", "4", "--runs", runs]
        where: list[str | Path] = ["--on", address, "--results", results]
        with started("shaketable.cli", "compare", *words, *where, out=tmp_path / "said") as command:
            victim = cell_with_servers(tmp_path)
            its, worker = [victim, *servers_of([victim])], victim.parent()
            assert worker is not None
            worker.kill()
            assert command.wait(400) == 0, (tmp_path / "said").read_text()
        assert psutil.wait_procs(its, 30)[1] == []
    found = run_index.read([runs]).trials
    assert [(trial.seed, trial.machine) for trial in found] == [(seed, tasks.machine()) for seed in (1, 2, 3, 4)]
    assert {trial.outcome for trial in found} <= SOUND
    assert len({trial.run for trial in found}) == 4
    assert len(list((results / "cells").iterdir())) == 4
    assert cells_of(tmp_path) == []
    assert [path for path in runs.iterdir() if path.name.startswith(".cells")] == []


def test_ctrl_c_ends_workers_and_their_servers(scenario: Path, tmp_path: Path) -> None:
    words: list[str | Path] = ["run", scenario, "--trials", "3", "--runs", tmp_path / "runs", "--jobs", "2"]
    with started("shaketable.cli", *words, "--json", tmp_path / "table.json", out=tmp_path / "said") as command:
        cell_with_servers(tmp_path)
        everything = psutil.Process(command.pid).children(recursive=True)
        os.killpg(command.pid, signal.SIGINT)
        assert command.wait(60) == 255
    assert psutil.wait_procs(everything, 5)[1] == []
    assert {run["verdict"] for run in json.loads((tmp_path / "table.json").read_text())["runs"]} == {"interrupted"}


@pytest.mark.nightly
def test_trials_of_a_run_are_one_table(scenario: Path, tmp_path: Path) -> None:
    words: list[str | Path] = ["run", scenario, "--trials", "2", "--runs", tmp_path / "runs", "--jobs", "2"]
    with started("shaketable.cli", *words, "--json", tmp_path / "table.json", out=tmp_path / "said") as command:
        assert command.wait(240) in (0, 2), (tmp_path / "said").read_text()
    found = json.loads((tmp_path / "table.json").read_text())["runs"]
    assert [(run["seed"], run["trial"], run["machine"]) for run in found] == [(n, n, tasks.machine()) for n in (1, 2)]
    assert {run["verdict"] for run in found} <= SOUND
    assert all((Path(run["run"]) / "verdict.json").exists() for run in found)


@pytest.mark.nightly
def test_finished_cell_is_taken_from_the_store(scenario: Path, tmp_path: Path) -> None:
    words: list[str | Path] = ["compare", "reference", "--scenarios", scenario, "--runs", tmp_path / "runs"]
    where: list[str | Path] = ["--jobs", "1", "--results", tmp_path / "results"]
    found = []
    for _ in range(2):
        with started("shaketable.cli", *words, *where, out=tmp_path / "said") as command:
            assert command.wait(240) == 0, (tmp_path / "said").read_text()
        [cell] = Comparison(tmp_path / "runs").cells()
        found.append(cell)
        next((tmp_path / "runs").glob("*/*/*/cell.json")).unlink()
    assert found[0] == found[1]
