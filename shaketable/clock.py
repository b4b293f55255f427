"""Time as an argument: the monotonic clock that orders a history, paired with the wall clock."""

from __future__ import annotations

import time
from typing import NamedTuple, Protocol

#: Nanoseconds in a second.
SECOND = 1_000_000_000
#: Nanoseconds in a millisecond.
MS = 1_000_000


class Pair(NamedTuple):
    """The same instant on both clocks, in nanoseconds."""

    monotonic: int
    wall: int


class Clock(Protocol):
    """Reads CLOCK_MONOTONIC in nanoseconds, and sleeps."""

    def now(self) -> int: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """This machine's clock."""

    def now(self) -> int:
        """CLOCK_MONOTONIC, in nanoseconds."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Wait; a negative duration returns at once."""
        time.sleep(max(0.0, seconds))


def pair() -> Pair:
    """Read the wall clock between two readings of the monotonic clock, which halves the error that a pause causes."""
    before = time.monotonic_ns()
    wall = time.time_ns()
    return Pair((before + time.monotonic_ns()) // 2, wall)
