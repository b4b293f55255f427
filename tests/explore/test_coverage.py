"""Coverage: the states that a real history shows, counted, and the page that shows them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import pytest

from shaketable import faults
from shaketable.checks.check import Verdict
from shaketable.explore import page, states
from shaketable.explore.coverage import Coverage, CoverageColumn
from shaketable.explore.found import Found
from shaketable.explore.lanes import Lanes
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.reduction import Reduction
from shaketable.explore.states import State
from shaketable.explore.trial import Played
from tests.explore.scenarios import MANIFEST, trial
from tests.support.histories import fault, history, phase, probe, sent

CALM = State((), "CLOSED", "empty", "baseline")
DOWN = State(("down",), "OPEN", "under 50", "shake")
BOTH = State(("down", "kill"), "OPEN", "under 50", "shake")


def played(*passed: State) -> Played:
    return Played(trial(), Verdict.PASSED, states=frozenset(passed))


def test_states_are_counted_once_a_trial() -> None:
    covered = Coverage()
    for each in (played(CALM, DOWN), played(CALM), played(BOTH)):
        covered.note(each)
    assert [(row.faults, row.trials) for row in covered.rows()] == [((), 2), (("down",), 1), (("down", "kill"), 1)]
    assert covered.columns() == [CoverageColumn("CLOSED", "empty"), CoverageColumn("OPEN", "under 50")]
    assert covered.table(["down", "kill", "pause"]) == [("down", [0, 1]), ("kill", [0, 1]), ("pause", [0, 0])]


@pytest.mark.parametrize(
    ("queue", "found"),
    [(0, "empty"), (1, "under 50"), (49, "under 50"), (50, "50 to 499"), (500, "500 or more"), (None, "unknown")],
)
def test_backlog_is_in_a_band(queue: int | None, found: str) -> None:
    assert states.band(queue) == found
    assert states.band(float("nan")) == "unknown"


def test_page_shows_findings_coverage_and_doubts(tmp_path: Path) -> None:
    covered, progress = Coverage(), ExplorationProgress(1, 60, io.StringIO())
    covered.note(played(CALM, DOWN))
    progress.note(Played(trial(), Verdict.UNKNOWN, why="<nothing> shows that fault 0 landed"))
    found = Found("no_loss", trial(faults.Kill("worker-1")), 4, 6, file=tmp_path / "found_no_loss_1.py")
    made = Reduction(MANIFEST, tmp_path, cast(Lanes, None), progress, found=[found], coverage=covered)
    text = page.write(made, 7, "failed").read_text()
    assert "<title>failed: exploration of reference</title>" in text
    assert "no_loss fails with worker-1 killed for 2.5 s" in text
    assert "4 of 6" in text
    assert "OPEN, under 50" in text
    assert "&lt;nothing&gt;" in text


def test_states_are_read_from_a_history() -> None:
    seen = states.states(
        history(
            sent("a", at=1).acknowledged(1.1),
            phase("baseline", 0),
            phase("shake", 2),
            fault(3, 6),
            probe(1, queue=0, breaker="CLOSED"),
            probe(4, queue=7, breaker="OPEN"),
            probe(8, queue=None, breaker=None),
        )
    )
    assert seen == {
        State((), "CLOSED", "empty", "baseline"),
        State(("down",), "OPEN", "under 50", "shake"),
        State((), "unknown", "unknown", "shake"),
    }
