"""The command on a real processor with a seeded bug: found, shrunk, confirmed, written, and exit code 1."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from shaketable import faults, rundir
from shaketable.checks import NoLoss
from shaketable.checks.check import Verdict
from shaketable.errors import InputError
from shaketable.explore import catalogue as options_of
from shaketable.explore import command, draw, found, page
from shaketable.explore.command import Exploration, explore, shrink
from shaketable.explore.lanes import Lanes
from shaketable.explore.search import Request
from shaketable.faults.timeline import At
from shaketable.results.result import Result
from shaketable.rundir import RunDir
from shaketable.runner.scenario import Scenario
from tests.explore.scenarios import MANIFEST, REFERENCE, Oracle, holds, trial
from tests.seeded_bugs import catalogue
from tests.support.histories import asks, queued, run_of, sent, target


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_seeded_bug_is_found_shrunk_and_confirmed(tmp_path: Path) -> None:
    bug, out, table = catalogue.target("deletes_before_commit", tmp_path), tmp_path / "found", tmp_path / "all.json"
    words = [sys.executable, "-m", "shaketable.cli", "explore", "--target", str(bug), "--out", str(out)]
    options = ["--faults", "down", "--faults", "reset", "--first", "--seed", "1", "--budget", "5m", "--lanes", "2"]
    done = subprocess.run([*words, *options, "--json", str(table)], capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    (one,) = found.earlier(out)
    assert len(one.timeline) == 1
    assert {at.fault.kind for at in one.timeline} <= {"down", "reset"}
    (told,) = json.loads(table.read_text())["runs"]
    assert (told["verdict"], told["scenario"], told["checks"]["no_loss"]["verdict"]) == ("failed", one.name, "failed")
    assert Path(told["run"]).is_dir()


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_storm_of_a_seeded_bug_is_shrunk_to_one_fault(tmp_path: Path) -> None:
    bug, out = catalogue.target("deletes_before_commit", tmp_path), tmp_path / "found"
    code, told = catalogue.shake("storm", bug, tmp_path / "runs")
    assert (code, told.checks["no_loss"].verdict) == (1, Verdict.FAILED)
    words = [sys.executable, "-m", "shaketable.cli", "shrink", str(tmp_path / "runs" / rundir.LATEST)]
    done = subprocess.run([*words, "--budget", "5m", "--out", str(out)], capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    (one,) = found.earlier(out)
    assert len(one.timeline) == 1
    assert "deletes_before_commit" in next(out.glob("found_*.py")).read_text()


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_faults_of_disks_and_clocks_land_and_lose_nothing_of_the_reference(tmp_path: Path) -> None:
    options = [option for option in options_of.of(MANIFEST) if option.library]
    trials = [draw.scenario((At(0.5, 0.5 + max(2, o.least_s), o.fault),), 100, {"worker": 2}, 1) for o in options]
    with Lanes(2, REFERENCE, tmp_path) as lanes:
        played = list(lanes.play(trials, "disks and clocks"))
    assert {one.scenario.timeline[0].fault.label: one.why for one in played if one.verdict is not Verdict.PASSED} == {}
    assert len(played) == len(options) > 10


def test_unknown_kind_of_fault_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gremlin"):
        explore(Exploration(None, tmp_path, 60), Request(60, kinds=frozenset({"gremlin"})), lambda _: None)


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Oracle:
    """The player of the command's lanes: a target that fails when a process is killed."""
    made = Oracle(lambda s: holds(s, "kill"))
    monkeypatch.setattr(command, "Lanes", partial(Lanes, play=made, warm=False))
    return made


def test_finding_ends_with_1_a_page_and_results_for_ci(
    oracle: Oracle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[Result] = []
    code = explore(Exploration(None, tmp_path, 600, 2), Request(600, 1, first=True, most_trials=40), written.extend)
    (path,) = tmp_path.glob("found_no_loss_*.py")
    assert (code, [one.scenario for one in written]) == (2, ["explore no_loss"]), "an oracle leaves no verdict"
    assert "no_loss fails with" in (tmp_path / page.PAGE).read_text()
    assert str(path) in capsys.readouterr().out


def test_clean_exploration_ends_with_0_and_counts_its_trials(oracle: Oracle, tmp_path: Path) -> None:
    oracle.fails, written = lambda _: False, list[Result]()
    code = explore(Exploration(None, tmp_path, 600, 2), Request(600, 1, most_trials=8), written.extend)
    (one,) = written
    assert (code, one.verdict, one.figures["trials"]) == (0, "passed", 8)


def lost(folder: Path, name: str) -> RunDir:
    """A run of the target of that name that lost an event."""
    return run_of((sent("a", at=1).acknowledged(2), queued(0), asks(NoLoss()), target(name=name)), folder / "run")


def test_run_of_another_target_is_not_shrunk(oracle: Oracle, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a run of mine, and this target is reference"):
        shrink(Exploration(None, tmp_path / "out", 600, 2), lost(tmp_path, "mine").path, lambda _: None)
    assert oracle.played == []


def test_failed_run_is_shrunk(oracle: Oracle, tmp_path: Path) -> None:
    run = lost(tmp_path, "reference")
    big = replace(trial(faults.Kill("worker-1"), faults.Down("redis")), checks=(NoLoss(),))
    (run / rundir.SCENARIO).unlink()
    rundir.write_json(run / rundir.SCENARIO, big.to_json())
    shrink(Exploration(None, tmp_path / "out", 600, 2), run.path, lambda _: None)
    (one,) = found.earlier(tmp_path / "out")
    assert [at.fault.kind for at in one.timeline] == ["kill"]
    assert one.checks == (NoLoss(),)


def test_interruption_writes_what_was_found(oracle: Oracle, tmp_path: Path) -> None:
    def fails(scenario: Scenario) -> bool:
        if len(oracle.played) > 60:
            raise KeyboardInterrupt
        return holds(scenario, "kill")

    oracle.fails, written = fails, list[Result]()
    with pytest.raises(KeyboardInterrupt):
        explore(Exploration(None, tmp_path, 600, 1), Request(600, 1), written.extend)
    assert written
    assert (tmp_path / page.PAGE).is_file()
    assert list(tmp_path.glob("found_no_loss_*.py"))
