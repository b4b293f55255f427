"""The curve: its verdict, its table, its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.capacity import page, table
from shaketable.capacity.curve import Curve
from shaketable.capacity.step import Step

STEPS = [
    Step(100, True, 99.0, 98.5, 12.0, 3.0, run="a"),
    Step(200, False, 180.0, 120.0, 900.0, 5.0, "66 <b> late", run="b"),
]
ALONE = [Step(200, True, 199.0, lateness_p99_ms=4.0, run="c"), Step(400, False, 300.0, lateness_p99_ms=500.0, run="d")]


def curve(steps: list[Step]) -> Curve:
    return Curve("<mine>", steps, ALONE, 8, 1, 5)


@pytest.mark.parametrize(
    ("steps", "verdict", "code"),
    [
        (STEPS, "passed", 0),
        (STEPS[1:], "failed", 1),
        ([Step(50, None, why="late", run="a")], "unknown", 2),
    ],
)
def test_the_verdict(steps: list[Step], verdict: str, code: int) -> None:
    result = curve(steps).result()
    assert (result.verdict, result.exit_code) == (verdict, code)


@pytest.mark.parametrize("sustained", [False, None])
def test_what_failed_or_is_unknown_is_told_by_the_reason_of_its_step(sustained: bool | None) -> None:
    found = curve([Step(50, sustained, why="the harness was starved", run="a")]).result()
    assert "the harness was starved" in found.why
    assert "load generator" not in found.why


def test_the_result_has_both_rates() -> None:
    assert curve(STEPS).result().figures == {"sustained_per_s": 100, "load_generator_per_s": 200}


def test_the_table_has_a_row_for_each_step() -> None:
    shown = table.of(curve(STEPS[::-1]))
    assert [(row[0], row[1], row[2], row[4]) for row in shown.rows] == [
        ("<mine>", "100", "yes", "98"),
        ("<mine>", "200", "no", "120"),
        (table.GENERATOR, "200", "yes", None),
        (table.GENERATOR, "400", "no", None),
    ]


def test_the_page_is_offline_and_escaped(tmp_path: Path) -> None:
    text = page.write(tmp_path, curve(STEPS)).read_text()
    assert "&lt;mine&gt;" in text
    assert "<mine>" not in text
    assert "<b> late" not in text
    assert text.count("<circle") == 2
    assert "http:" not in text
    assert "https:" not in text
