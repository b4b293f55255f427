"""Runs that older versions saved are judged as those versions judged them; `saved/README.md` says what they are."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.cli.check import check_run
from shaketable.rundir import RunDir

SAVED = Path(__file__).parent / "saved"
#: Python 3.11.4 and newer, or distributions that backported it, extract with a filter.
FILTER: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
#: What `check` ends with, by the name of the saved run.
EXIT = {"passed": 0, "failed": 1}


@pytest.fixture(params=EXIT)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> RunDir:
    """A saved run, unpacked; the parameter is its verdict."""
    with tarfile.open(SAVED / f"{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path / request.param, **FILTER)
    return RunDir(tmp_path / request.param)


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
