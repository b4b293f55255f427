"""The table bug × points: what counts as caught, and how it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shaketable.checks.check import Verdict
from shaketable.crash_points.lanes import TrialLanes
from shaketable.crash_points.point import Point
from shaketable.crash_points.survey import Survey
from shaketable.crash_points.trial import PointTrial
from shaketable.errors import TargetError
from tools.point_matrix import PointRow, line, main

BEFORE, AFTER = (Point("worker-1", "postgres", "COMMIT", when) for when in ("before", "after"))


def test_only_the_own_check_of_a_bug_catches_it() -> None:
    row = PointRow("drops", "kill", "no_loss")
    for trial in (
        PointTrial(BEFORE, "kill", Verdict.FAILED, True, ("no_loss",)),
        PointTrial(AFTER, "kill", Verdict.FAILED, True, ("order_kept",)),
        PointTrial(AFTER, "kill", Verdict.PASSED, True),
        PointTrial(AFTER, "kill", Verdict.UNKNOWN, False),
    ):
        row.note(trial)
    assert (row.failed, row.passed) == (["worker-1 before COMMIT"], ["worker-1 after COMMIT"])
    assert (row.other, len(row.unreached)) == (["worker-1 after COMMIT (order_kept)"], 1)
    assert line(row).endswith(
        "| worker-1 before COMMIT, worker-1 after COMMIT (order_kept) | worker-1 after COMMIT, 1 not reached |"
    )


@pytest.fixture
def calm_why(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lanes without servers: each point passes; a text in the list makes the survey fail."""
    why: list[str] = []

    def survey(_: TrialLanes) -> Survey:
        if why:
            raise TargetError(why[0])
        return Survey((BEFORE, AFTER), {BEFORE: 1, AFTER: 1})

    monkeypatch.setattr(TrialLanes, "survey", survey)
    monkeypatch.setattr(
        TrialLanes, "play", lambda _, points: (PointTrial(each, "kill", Verdict.PASSED, True) for each in points)
    )
    return why


def test_bug_that_no_point_catches_fails(calm_why: list[str], tmp_path: Path) -> None:
    assert main(["--bugs", "deletes_before_commit", "--only", "before COMMIT", "--out", str(tmp_path)]) == 1
    (row,) = json.loads((tmp_path / "points.json").read_text())["bugs"]
    assert (row["passed"], row["failed"]) == (["worker-1 before COMMIT"], [])


def test_bug_that_needs_no_fault_is_told_as_such(calm_why: list[str], tmp_path: Path) -> None:
    calm_why.append("no_duplicates: 3 stored twice")
    assert main(["--bugs", "not_idempotent", "--out", str(tmp_path)]) == 0
    assert "every run, without a fault" in (tmp_path / "points.md").read_text()
