"""A saved run as the scenario to shrink: the check that failed, the timeline as played, the target as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable import faults, rundir
from shaketable.checks import NoLoss
from shaketable.errors import InputError
from shaketable.evidence.again import TypedCommand
from shaketable.explore import failed_run
from shaketable.explore.trial import digest
from tests.explore.scenarios import trial
from tests.support.histories import asks, queued, run_of, sent, stored

LOST = (sent("a", at=1).acknowledged(2), queued(0), asks(NoLoss()))


def test_failed_run_names_its_check_and_its_target(tmp_path: Path) -> None:
    run = run_of(LOST, tmp_path)
    rundir.write_json(run / rundir.ASKED, TypedCommand("calm", ("--target", "/mine.toml")))
    found = failed_run.read(run.path)
    assert (found.check, found.name, found.target) == ("no_loss", "literal", Path("/mine.toml"))
    assert found.scenario.checks == (NoLoss(),)


def test_scenario_of_a_run_is_the_one_that_was_played(tmp_path: Path) -> None:
    run, one = run_of(LOST, tmp_path), trial(faults.Kill("worker-1"), faults.Down("redis"))
    (run / rundir.SCENARIO).unlink()
    rundir.write_json(run / rundir.SCENARIO, one.to_json())
    read = failed_run.scenario(run)
    assert (digest(read), read.seed, read.checks) == (digest(one), one.seed, one.checks)


def test_run_that_passed_is_refused(tmp_path: Path) -> None:
    run = run_of((sent("a", at=1).acknowledged(2), stored("a", at=3), queued(0), asks(NoLoss())), tmp_path)
    with pytest.raises(InputError, match="a run that failed"):
        failed_run.read(run.path)
