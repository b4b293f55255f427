"""Runs that older versions saved are judged as those versions judged them; `saved/README.md` describes them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.cli.check import check_run
from shaketable.rundir import RunDir
from tests.support.saved import unpacked

#: What `check` ends with, by the name of the saved run.
EXIT = {"passed": 0, "failed": 1}


@pytest.fixture(params=EXIT)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> RunDir:
    """A saved run, unpacked; the parameter is its verdict."""
    return unpacked(request.param, tmp_path)


def verdict(run: RunDir) -> VerdictDoc:
    return msgspec.json.decode((run / rundir.VERDICT).read_bytes(), type=VerdictDoc)


def test_run_of_an_older_version_has_the_verdict_that_it_had(saved: RunDir) -> None:
    then = verdict(saved)
    assert check_run(saved.path) == EXIT[saved.path.name]
    now = verdict(saved)
    assert now.verdict == then.verdict == saved.path.name
    assert {name: found.verdict for name, found in now.checks.items()} == {
        name: found.verdict for name, found in then.checks.items()
    }
    assert {name: (found.counts, found.members, found.required) for name, found in now.checks.items()} == {
        name: (found.counts, found.members, found.required) for name, found in then.checks.items()
    }
    assert [(fault.label, fault.injected, fault.landed) for fault in now.faults] == [
        (fault.label, fault.injected, fault.landed) for fault in then.faults
    ]
    assert then.figures.items() <= now.figures.items()
    assert now.lives == then.lives
