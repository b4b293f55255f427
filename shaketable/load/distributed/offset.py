"""The offset between the monotonic clocks of two machines, and its error. Pure: times are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class RoundTrip(NamedTuple):
    """A question and its answer, in nanoseconds: two times of the side that asks, and one of the side that answers."""

    asked: int
    there: int
    back: int


class Offset(NamedTuple):
    """The other clock is `ns` ahead of this one, and at most `error` more or less than that."""

    ns: int = 0
    error: int = 0


def measured(trips: Sequence[RoundTrip]) -> Offset:
    """The offset by the shortest round trip: the answer was given somewhere within it (Cristian's algorithm)."""
    trip = min(trips, key=lambda each: each.back - each.asked)
    return Offset(trip.there - (trip.asked + trip.back) // 2, (trip.back - trip.asked + 1) // 2)


def drifted(first: Offset, later: Offset) -> int:
    """The error of the first offset at the time of the later one: clocks of two machines run apart."""
    return max(first.error, abs(later.ns - first.ns) + later.error)
