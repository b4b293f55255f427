"""Runs that older versions saved are judged as those versions judged them; `saved/README.md` describes them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shaketable import rundir
from shaketable.checks.verdict import Judged, VerdictDoc
from shaketable.cli.check import check_run
from shaketable.rundir import RunDir
from tests.support.saved import unpacked

#: What `check` ends with, by the name of the saved run.
EXIT = {"passed": 0, "failed": 1}

#: Checks whose law has changed since, by the run's name, with today's verdict and the counts that differ.
CHANGED = {
    "passed": {"order_kept": ("passed", {"judged": 254})},  # one row may be that of a resend
    "failed": {"latency_budget": ("passed", {"stored_late": 0})},  # lost events are not late
}


@pytest.fixture(params=EXIT)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> RunDir:
    """A saved run, unpacked; the parameter is its verdict."""
    return unpacked(request.param, tmp_path)


def verdict(run: RunDir) -> VerdictDoc:
    return msgspec.json.decode((run / rundir.VERDICT).read_bytes(), type=VerdictDoc)


def _law(found: Judged) -> object:
    return found.verdict, found.counts, found.members, found.required


def test_run_of_an_older_version_has_the_verdict_that_it_had(saved: RunDir) -> None:
    then = verdict(saved)
    assert check_run(saved.path) == EXIT[saved.path.name]
    now = verdict(saved)
    assert now.verdict == then.verdict == saved.path.name
    changed = CHANGED[saved.path.name]
    assert {name: now.checks[name].verdict for name in changed} == {name: was for name, (was, _) in changed.items()}
    assert all(counts.items() <= now.checks[name].counts.items() for name, (_, counts) in changed.items())
    same = then.checks.keys() - changed
    assert now.checks.keys() >= then.checks.keys()
    assert {name: _law(now.checks[name]) for name in same} == {name: _law(then.checks[name]) for name in same}
    assert [(fault.label, fault.injected, fault.landed) for fault in now.faults] == [
        (fault.label, fault.injected, fault.landed) for fault in then.faults
    ]
    assert then.figures.items() <= now.figures.items()
    assert [msgspec.structs.replace(life, shares=[]) for life in now.lives] == then.lives  # told since then
