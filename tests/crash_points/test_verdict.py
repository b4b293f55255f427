"""The verdict on all points: holes as stretches, and nothing unknown that passes for sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shaketable.checks.check import Verdict
from shaketable.checks.verdict import FaultSeen, VerdictDoc
from shaketable.crash_points import page, table
from shaketable.crash_points.point import Point
from shaketable.crash_points.survey import Survey, in_order
from shaketable.crash_points.trial import PointTrial, _reached, scenario
from shaketable.crash_points.verdict import Verdicts
from shaketable.results.result import collect
from shaketable.runner.playable import fitted
from shaketable.target import manifest
from tests.seeded_bugs.bug import REFERENCE

PLACES = [
    Point("worker-1", "redis", "XDEL", "before"),
    Point("worker-1", "redis", "XDEL", "after"),
    Point("worker-1", "postgres", "COPY audit_log", "before"),
    Point("worker-1", "postgres", "COMMIT", "before"),
    Point("worker-1", "postgres", "COMMIT", "after"),
]
OK, BAD, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


def verdicts(*told: tuple[Verdict, bool | None]) -> Verdicts:
    trials = tuple(
        PointTrial(point, "kill", verdict, reached, ("no_loss",) if verdict is BAD else ())
        for point, (verdict, reached) in zip(PLACES, told, strict=False)
    )
    return Verdicts("tested", "kill", Survey(tuple(PLACES), dict.fromkeys(PLACES, 1)), trials)


def test_neighbouring_points_that_fail_are_one_hole() -> None:
    found = verdicts((OK, True), (BAD, True), (BAD, True), (BAD, True), (OK, True))
    (hole,) = found.holes()
    assert hole.startswith("worker-1, killed")
    assert "after XDEL" in hole
    assert "before COMMIT" in hole
    assert found.exit_code == 1


def test_point_that_was_not_reached_does_not_divide_a_hole() -> None:
    assert len(verdicts((BAD, True), (UNKNOWN, False), (BAD, True)).holes()) == 1
    assert len(verdicts((BAD, True), (OK, True), (BAD, True)).holes()) == 2


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ([(OK, True), (OK, True)], 0),
        ([(OK, True), (UNKNOWN, False)], 0),
        ([(OK, True), (UNKNOWN, True)], 2),
        ([(OK, True), (UNKNOWN, None)], 2),
        ([(UNKNOWN, False)], 2),
        ([], 2),
        ([(UNKNOWN, True), (BAD, True)], 1),
    ],
)
def test_exit_code_is_that_of_the_worst_point(told: list[tuple[Verdict, bool | None]], code: int) -> None:
    assert verdicts(*told).exit_code == code


def test_table_names_every_point_and_every_one_that_told_nothing() -> None:
    found = verdicts((OK, True), (UNKNOWN, False), (UNKNOWN, True), (BAD, True))
    made, notes = table.of(found), list(table.not_judged(found))
    assert [row[2] for row in made.rows] == [point.place for point in PLACES[:4]]
    assert [str(row[4]) for row in made.rows] == ["passed", "not reached", "unknown", "failed"]
    assert sum(note.startswith("Not reached: after XDEL") for note in notes) == 1
    assert sum(note.startswith("Unknown: ") for note in notes) == 1


def test_results_have_a_name_for_each_point() -> None:
    found = collect(verdicts((OK, True), (BAD, True), (UNKNOWN, None)).results())
    assert len({run.scenario for run in found.runs}) == 3


@pytest.mark.parametrize(
    "told",
    [[(OK, True), (UNKNOWN, False)], [(OK, True), (UNKNOWN, None)], [(UNKNOWN, False)], [(BAD, True), (OK, True)]],
)
def test_files_have_the_exit_code_of_the_command(told: list[tuple[Verdict, bool | None]]) -> None:
    assert collect(verdicts(*told).results()).exit_code == verdicts(*told).exit_code


def test_points_that_an_interruption_left_are_no_pass() -> None:
    found = replace(verdicts((OK, True)), unplayed=tuple(PLACES[1:]))
    assert found.verdict is UNKNOWN
    results = collect(found.results())
    assert [run.verdict for run in results.runs[1:]] == ["interrupted"] * 4
    assert results.exit_code == 255


@pytest.mark.parametrize(
    ("seen", "reasons", "reached"),
    [
        (FaultSeen(0, "", 0, 1, landed=True), [], True),
        (FaultSeen(0, "", 0, 1, landed=False), ["nothing shows that the fault landed"], False),
        (FaultSeen(0, "", 0, 1, landed=False), ["postgres ended", "nothing shows that the fault landed"], None),
        (FaultSeen(0, "", 0, 1, landed=None, injected=False), ["postgres ended"], None),
        (None, ["the run did not reach the phase `observe`"], None),
    ],
)
def test_point_is_not_reached_only_where_nothing_else_went_wrong(
    seen: FaultSeen | None, reasons: list[str], reached: bool | None
) -> None:
    doc = VerdictDoc(1, Verdict.UNKNOWN, {}, [seen] if seen else [], {}, reasons)
    assert _reached(doc) is reached


def test_scenario_of_a_point_can_be_played_on_the_reference() -> None:
    for point in (PLACES[0], None):
        assert fitted(scenario(point, "freeze", 1), manifest.load(REFERENCE)).name == "reference"


def test_rate_of_a_trial_can_be_lowered() -> None:
    assert scenario(PLACES[0], "kill", 1, 10).load.rate == scenario(None, "kill", 1, 10).load.rate == 10


def test_reply_of_a_message_from_before_the_survey_comes_after_that_message() -> None:
    before, after, other = PLACES[0], PLACES[1], PLACES[2]
    assert in_order({after: 1, before: 5, other: 3}) == [other, before, after]


def test_page_has_the_holes_and_every_point(tmp_path: Path) -> None:
    found = verdicts((OK, True), (BAD, True), (UNKNOWN, False))
    text = page.write(tmp_path, found, 1).read_text()
    assert "<title>failed: crash points of tested</title>" in text
    assert found.holes()[0] in text
    assert text.count('<th scope="row">') == len(found.trials)
    assert "Not reached: before COPY audit_log" in text


@pytest.mark.parametrize(
    ("told", "verdict"), [([(OK, True)], "passed"), ([(UNKNOWN, True)], "unknown"), ([], "unknown")]
)
def test_page_of_no_hole_has_the_verdict(told: list[tuple[Verdict, bool | None]], verdict: str, tmp_path: Path) -> None:
    assert f"<title>{verdict}: " in page.write(tmp_path, verdicts(*told), 1).read_text()
