"""The search for the highest rate, against targets whose capacity is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shaketable.capacity.search import LOWEST, MOST_STEPS, PRECISION, highest, search
from shaketable.capacity.step import Step


def steps(capacity: float, first: float, limit: float = float("inf")) -> list[Step]:
    """All steps of a search: sustained up to `capacity`, not judged above `limit`."""

    def play(rate: float) -> Step:
        return Step(rate, None if rate > limit else rate <= capacity, run="run")

    return list(search(play, first))


@given(st.floats(LOWEST, 20_000), st.floats(LOWEST, 1_000))
def test_the_highest_rate_is_found_to_a_tenth(capacity: float, first: float) -> None:
    played = steps(capacity, first)
    assert len(played) < MOST_STEPS
    best = highest(played)
    assert best is not None or first / 2 ** len(played) < LOWEST
    if best is not None:
        assert best <= capacity
        assert any(step.rate <= best * (1 + PRECISION) for step in played if not step.sustained)


def test_rates_are_doubled_and_then_narrowed_down() -> None:
    assert [step.rate for step in steps(460, 100)] == [100, 200, 400, 800, 570, 480, 440]


def test_a_rate_that_cannot_be_judged_bounds_the_search() -> None:
    played = steps(10_000, 100, limit=300)
    assert highest(played) == 300
    assert not [step for step in played if step.sustained is False]


@pytest.mark.parametrize("capacity", [0.0, 0.5])
def test_a_target_that_sustains_nothing_ends_the_search(capacity: float) -> None:
    played = steps(capacity, 8)
    assert highest(played) is None
    assert [step.rate for step in played] == [8, 4, 2, 1]


def test_a_step_that_did_not_start_ends_the_search() -> None:
    assert list(search(lambda rate: Step(rate, None, why="no server"), 50)) == [Step(50, None, why="no server")]


def test_a_rate_above_one_that_was_not_sustained_does_not_count() -> None:
    assert highest([Step(100, True), Step(200, False), Step(400, True)]) == 100
