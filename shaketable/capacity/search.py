"""The search for the highest rate: doubled until one is not sustained, then halfway between the two."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from shaketable.capacity.step import Step

#: The search ends when the lowest rate that was not sustained is at most this share above the highest that was.
PRECISION = 0.1
#: Most steps, and the lowest rate that is tried.
MOST_STEPS, LOWEST = 30, 1.0


def search(play: Callable[[float], Step], first: float) -> Iterator[Step]:
    """Play rates from `first` on, and yield each step."""
    steps: list[Step] = []
    while len(steps) < MOST_STEPS and (rate := next_rate(steps, first)) is not None:
        steps.append(play(rate))
        yield steps[-1]


def next_rate(steps: Sequence[Step], first: float) -> float | None:
    """The rate to try next; None when the search is over. A rate that could not be judged counts as not sustained.

    Without a sustained rate the lowest is halved. A step without a run, because nothing started, ends the search.
    """
    if steps and not steps[-1].run:
        return None
    best, worst = highest(steps), min((step.rate for step in steps if not step.sustained), default=None)
    if worst is None:
        return first if best is None else 2 * best
    if best is None:
        return worst / 2 if worst / 2 >= LOWEST else None
    if worst <= best * (1 + PRECISION):
        return None
    return _rounded(math.sqrt(best * worst))


def highest(steps: Sequence[Step]) -> float | None:
    """The highest rate that was sustained, below every one that was not."""
    worst = min((step.rate for step in steps if not step.sustained), default=math.inf)
    return max((step.rate for step in steps if step.sustained and step.rate < worst), default=None)


def _rounded(rate: float) -> float:
    """To two digits: more would not be known."""
    digits = 1 - math.floor(math.log10(rate))
    return float(round(rate, digits))
