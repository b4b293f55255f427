"""Time as an argument: the monotonic clock that orders a history, and the wall clock beside it."""

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
    """Tells CLOCK_MONOTONIC in nanoseconds, and waits."""

    def now(self) -> int: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """This machine's clock."""

    def now(self) -> int:
        """CLOCK_MONOTONIC, in nanoseconds."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Wait; a time already past is no wait."""
        time.sleep(max(0.0, seconds))


def pair() -> Pair:
    """Read both clocks; the wall clock between two readings of the monotonic one, so that a pause halves its error."""
    before = time.monotonic_ns()
    wall = time.time_ns()
    return Pair((before + time.monotonic_ns()) // 2, wall)
