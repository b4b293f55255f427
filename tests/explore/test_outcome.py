"""The results of an exploration: passed only if it ended by itself, and every share of it."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shaketable.cells.machines import Machines
from shaketable.cells.session import FinishedCell
from shaketable.errors import HarnessError, InputError
from shaketable.explore import saved, share
from shaketable.explore.outcome import ExplorationOutcome
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.saved import Position
from shaketable.explore.search import Request
from shaketable.explore.share import ShareOutcome, TrialShare
from shaketable.explore.spread import FOUND, SharedExploration, Spread
from shaketable.report.ci import github, junit
from shaketable.results.result import collect
from tests.explore.scenarios import MANIFEST


@pytest.fixture
def made(tmp_path: Path) -> SharedExploration:
    shared = SharedExploration(MANIFEST, tmp_path, ExplorationProgress(0, 10, io.StringIO()), Position(1))
    shared.progress.totals.add(5, 0, 0, [])
    return shared


def test_exploration_that_passed_is_a_plain_pass_in_every_file(made: SharedExploration, tmp_path: Path) -> None:
    found = collect(ExplorationOutcome(made, 1).results())
    assert (found.verdict, found.exit_code, found.runs[0].caveats) == ("passed", 0, [])
    junit.write(tmp_path / "junit.xml", found.runs)
    assert "<error" not in (tmp_path / "junit.xml").read_text()
    assert not any(line.startswith("::error") for line in github.commands(found.runs))


@pytest.mark.parametrize(
    ("ended", "verdict", "code"),
    [
        (KeyboardInterrupt(), "interrupted", 255),
        (HarnessError("11 trials in a row could not be played"), "error", 255),
        (InputError("the target cannot be explored"), "error", 254),
        (ZeroDivisionError("of ours"), "error", 255),
    ],
)
def test_exploration_that_was_cut_off_never_passed(
    ended: BaseException, verdict: str, code: int, made: SharedExploration
) -> None:
    outcome = ExplorationOutcome(made, 1)
    outcome.ended = ended
    found = collect(outcome.results())
    assert (found.verdict, found.exit_code) == (verdict, code)
    assert str(ended) in found.runs[0].why


def test_trials_that_failed_without_a_finding_are_no_pass(made: SharedExploration) -> None:
    made.progress.totals.add(3, 2, 0, [])
    assert collect(ExplorationOutcome(made, 1).results()).verdict == "unknown"


@pytest.mark.parametrize(("code", "whole"), [(-9, False), (137, False), (0, False), (255, True)])
def test_share_that_did_not_come_to_its_end_is_an_error(
    code: int, whole: bool, made: SharedExploration, tmp_path: Path
) -> None:
    spread, folder = Spread([], Request(10), Machines(jobs=2)), tmp_path / "cell"
    (folder / FOUND).mkdir(parents=True)
    if whole:
        write_share(folder / FOUND)
    cell = FinishedCell(1, folder, "there", "it ended", code)
    spread._check(made, TrialShare(1, 2, 0), cell, spread._merge(made, TrialShare(1, 2, 0), cell))
    assert [lost.verdict for lost in made.lost] == ["error"]
    assert collect(ExplorationOutcome(made, 1, made.lost).results()).exit_code == 255


def write_share(folder: Path) -> None:
    """Write the outcome of a share, as its command does."""
    nothing = SimpleNamespace(rows=list)
    reduction = SimpleNamespace(
        out=folder, found=[], coverage=nothing, progress=ExplorationProgress(1, 10, io.StringIO()), manifest=MANIFEST
    )
    share.write(cast(Any, reduction), Position(1))
    assert isinstance(share.read(folder), ShareOutcome)


def test_exploration_of_other_faults_begins_again(tmp_path: Path) -> None:
    saved.write(tmp_path, "mine", Position(7, 60, 60, options="kill"))
    assert saved.start(tmp_path, "mine", None, "kill").next == 60
    assert saved.start(tmp_path, "mine", None, "all") == Position(7, options="all")
    saved.write(tmp_path, "mine", Position(7, 60, 60))  # of an older version
    assert saved.start(tmp_path, "mine", None, "all").next == 60
