"""The kill matrix: what counts as caught, and how it is told."""

from __future__ import annotations

from shaketable.checks.check import Verdict
from shaketable.checks.verdict import Judged, VerdictDoc
from tools.clean_runs import Clean
from tools.kill_matrix import MISSED, OTHER, RIGHT, Matrix, Row, Shot, page, shot, text


def doc(verdict: str = "failed", **checks: str) -> VerdictDoc:
    found = {
        name: Judged(Verdict(told), why="1 lost" if told == "failed" else "", required=True)
        for name, told in checks.items()
    }
    return VerdictDoc(1, Verdict(verdict), found, [], {})


def row(*shots: Shot, name: str = "drops") -> Row:
    return Row(name, "no_loss", "calm", "", list(shots))


CAUGHT = shot("no_loss", "", doc(no_loss="failed", order_kept="passed"), "runs/1")
ELSEWHERE = shot("no_loss", "", doc(no_loss="passed", order_kept="failed"), "runs/2")
UNSEEN = shot("no_loss", "", doc("passed", no_loss="passed", order_kept="passed"), "runs/3")


def test_bug_is_caught_only_by_its_own_check_and_for_the_right_reason() -> None:
    assert (CAUGHT.caught, ELSEWHERE.caught, UNSEEN.caught) == (RIGHT, OTHER, MISSED)
    assert shot("no_loss", "2 lost", doc(no_loss="failed"), "").caught == OTHER
    assert shot("no_loss", "", doc("passed", no_loss="unknown"), "").caught == MISSED


def test_run_directory_of_what_was_missed_is_kept() -> None:
    assert (CAUGHT.run, UNSEEN.run) == ("", "runs/3")


def test_bug_seen_in_some_runs_is_told_as_such() -> None:
    assert row(CAUGHT).told == "caught"
    assert row(UNSEEN, ELSEWHERE, CAUGHT).told == "caught in 1 of 3"
    assert row(UNSEEN, ELSEWHERE).told == "caught by another in 0 of 2"


def test_matrix_has_a_row_for_each_bug_and_a_capital_for_the_check_that_must_catch_it() -> None:
    matrix = Matrix(1, [row(CAUGHT), row(ELSEWHERE, name="turns")], [Clean("calm", "passed", {})], 12.3)
    lines = text(matrix).splitlines()
    assert "a no_loss" in lines
    assert "drops  X .  caught" in lines
    assert "turns  . x  caught by another" in lines
    assert "1 of 2 bugs caught by their own check" in lines
    assert [row.name for row in matrix.missed] == ["turns"]


def test_clean_run_that_fails_is_a_false_alarm_and_one_that_is_unknown_is_not() -> None:
    clean = [Clean("a", "passed", {}), Clean("b", "failed", {"no_loss": "1 lost"}), Clean("c", "unknown", {})]
    matrix = Matrix(1, [], clean, 1)
    assert [one.scenario for one in matrix.alarms] == ["b"]
    assert [one.scenario for one in matrix.unjudged] == ["c"]
    assert "1 false alarms and 1 not judged in 3 clean runs" in text(matrix)


def test_page_shows_every_bug_and_escapes_what_was_said() -> None:
    matrix = Matrix(1, [row(CAUGHT)], [Clean("<b>", "failed", {"no_loss": "<script>"}, "runs/x")], 1)
    told = page(matrix)
    assert '<td class="kill">X</td>' in told
    assert "<script>" not in told
