"""An exploration of a seeded bug by two workers, with real servers: found, whatever becomes of a worker."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from shaketable.explore import found
from shaketable.explore.lanes import TRIALS
from tests.cells.test_compare import cell_with_servers, cells_of, servers_of, started
from tests.seeded_bugs import catalogue
from tests.support.waits import await_that

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.nightly, pytest.mark.timeout(1500)]
FAULTS = ("--faults", "down", "--faults", "reset")


def shares_of(folder: Path) -> set[str]:
    """The shares that are played now."""
    lines = [cell.cmdline() for cell in cells_of(folder)]
    return {line[line.index("--share") + 1] for line in lines}


def test_killed_worker_costs_its_share_alone_and_the_bug_is_found_once(tmp_path: Path) -> None:
    bug, out, table = catalogue.target("deletes_before_commit", tmp_path), tmp_path / "found", tmp_path / "all.json"
    words = ["explore", "--target", str(bug), "--out", str(out), "--seed", "1", "--budget", "6m", "--first"]
    with started("shaketable.cli", *words, *FAULTS, "--jobs", "2", "--json", table, out=tmp_path / "said") as command:
        victim = cell_with_servers(tmp_path)
        its, worker, share = [victim, *servers_of([victim])], victim.parent(), victim.cmdline()
        assert worker is not None
        worker.kill()
        assert psutil.wait_procs(its, 30)[1] == []
        await_that(lambda: share[share.index("--share") + 1] in shares_of(tmp_path), 60)
        assert command.wait(1200) == 1, (tmp_path / "said").read_text()
    told = json.loads(table.read_text())["runs"]
    failed = [run for run in told if run["verdict"] == "failed"]
    assert {run["verdict"] for run in told if run not in failed} <= {"unknown"}  # failures that nobody confirmed
    assert {run["checks"]["no_loss"]["verdict"] for run in failed} == {"failed"}
    names, kept = {run["scenario"] for run in failed}, {one.name: one for one in found.earlier(out)}
    assert names
    assert names <= set(kept)  # the first finding ended the other share, whose own stays as it was
    assert len(kept) <= len(told)
    assert all(len(kept[name].timeline) == 1 for name in names)
    assert all((out / TRIALS / Path(run["run"]).name / "verdict.json").exists() for run in failed)
    assert cells_of(tmp_path) == []


def test_ctrl_c_keeps_what_the_shares_have_found(tmp_path: Path) -> None:
    bug, out, table = catalogue.target("deletes_before_commit", tmp_path), tmp_path / "found", tmp_path / "all.json"
    words = ["explore", "--target", str(bug), "--out", str(out), "--seed", "1", "--budget", "20m", *FAULTS]
    with started("shaketable.cli", *words, "--jobs", "2", "--json", table, out=tmp_path / "said") as command:
        await_that(lambda: any(name.startswith("found_") for _, _, names in os.walk(tmp_path) for name in names), 1200)
        everything = psutil.Process(command.pid).children(recursive=True)
        os.killpg(command.pid, signal.SIGINT)
        assert command.wait(90) == 255
    assert psutil.wait_procs(everything, 5)[1] == []
    assert any(run["scenario"].startswith("found_no_loss") for run in json.loads(table.read_text())["runs"])
    assert found.earlier(out)
