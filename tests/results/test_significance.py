"""The rule that tells a regression from noise, and how often it is wrong."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from shaketable.results import significance

NOISES: dict[str, Callable[[random.Random], float]] = {
    "normal": lambda r: r.gauss(10, 2),
    "uniform": lambda r: r.uniform(5, 15),
    "exponential": lambda r: 5 + r.expovariate(0.2),
    "log-normal": lambda r: 10 * r.lognormvariate(0, 0.4),
}


@pytest.mark.slow
@pytest.mark.parametrize(("trials", "most"), [(3, 0.01), (4, 0.0025)])
@pytest.mark.parametrize("kind", NOISES)
def test_noise_alone_is_rarely_called_worse(kind: str, trials: int, most: float) -> None:
    r, draw, compared = random.Random(kind), NOISES[kind], 10_000
    worse = sum(
        significance.beyond([draw(r) for _ in range(trials)], [draw(r) for _ in range(trials)], 0) > 0
        for _ in range(compared)
    )
    assert worse / compared <= most


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([1.0, 1.2, 1.4], [2.0, 2.1, 2.2], 1),
        ([2.0, 2.1, 2.2], [1.0, 1.2, 1.4], -1),
        ([1.0, 1.2, 1.4], [1.7, 1.9, 2.1], 0),  # a gap of 0.3 is less than the 0.4 by which trials differ
        ([1.0, 1.2, 1.4], [1.5, 2.5, 9.0], 0),
        ([1.0, 1.2, 1.4], [1.3, 4.0, 4.0], 0),  # one of them was no worse
        ([100.0, 100.0, 100.0], [109.0, 109.0, 109.0], 0),  # less than a tenth
        ([100.0, 100.0, 100.0], [111.0, 111.0, 111.0], 1),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 0),
    ],
)
def test_worse_is_beyond_what_trials_differ_by(old: list[float], new: list[float], said: int) -> None:
    assert significance.beyond(old, new, 0) == said


def test_difference_that_nobody_would_feel_is_none() -> None:
    assert significance.beyond([1, 1, 1], [2, 2, 2], least=1.0) == 0
    assert significance.beyond([1, 1, 1], [2, 2, 2], least=0.9) == 1


@pytest.mark.parametrize(("old", "new"), [(2, 3), (3, 2), (0, 5)])
def test_fewer_than_three_trials_show_no_noise(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="at least 3 trials"):
        significance.beyond([1.0] * old, [9.0] * new, 0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ((0, 1), (0, 1), False),
        ((0, 1), (1, 1), True),
        ((0, 20), (1, 20), True),  # what never failed and now does
        ((1, 5), (2, 5), False),
        ((1, 5), (5, 5), True),  # by chance in 1 of 42
        ((1, 1), (1, 1), False),
        ((3, 3), (0, 3), False),
        ((1, 5), (0, 0), False),
    ],
)
def test_failures_are_more_frequent_beyond_chance(old: tuple[int, int], new: tuple[int, int], said: bool) -> None:
    assert significance.more_often(old, new) is said
