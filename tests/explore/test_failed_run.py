"""A saved run as the scenario to shrink: the check that failed, the timeline as played, the target as typed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shaketable import faults, rundir
from shaketable.checks import LatencyBudget, NoLoss
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


def test_check_of_delivery_is_shrunk_before_one_of_times(tmp_path: Path) -> None:
    late = (sent("b", at=1).acknowledged(5), stored("b", at=9))
    budget = LatencyBudget(0.1, 0.5, 0.1, 0.5)
    both, times = (
        failed_run.read(run_of((*events, queued(0), asks(budget, NoLoss())), tmp_path / name).path)
        for name, events in (("both", (*LOST[:1], *late)), ("times", late))
    )
    assert (both.check, both.by_the_clock) == ("no_loss", False)
    assert (times.check, times.by_the_clock) == ("latency_budget", True)


def test_scenario_of_a_run_is_the_one_that_was_played(tmp_path: Path) -> None:
    run, servers = run_of(LOST, tmp_path), {"redis": {"appendfsync": "everysec"}}
    one = replace(trial(faults.Kill("worker-1"), faults.Down("redis")), servers=servers)
    (run / rundir.SCENARIO).unlink()
    rundir.write_json(run / rundir.SCENARIO, one.to_json())
    read = failed_run.scenario(run)
    assert (digest(read), read.seed, read.checks) == (digest(one), one.seed, one.checks)
    assert read.servers == one.servers


def test_run_that_passed_is_refused(tmp_path: Path) -> None:
    run = run_of((sent("a", at=1).acknowledged(2), stored("a", at=3), queued(0), asks(NoLoss())), tmp_path)
    with pytest.raises(InputError, match="a run that failed"):
        failed_run.read(run.path)
