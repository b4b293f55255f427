"""Convert wall time to monotonic time by pairs of (monotonic, wall), and detect when that is unreliable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shaketable.clock import MS, SECOND

#: Neighbouring pairs whose offsets differ by more than this disagree (ns).
DISAGREE = 50 * MS
#: A longer time without a pair is a gap (ns): three intervals of ten seconds.
GAP = 30 * SECOND
#: Times that are converted at once.
PART = 1 << 20

Times = NDArray[np.int64]


@dataclass(frozen=True)
class Clocks:
    """All pairs of one machine, sorted by monotonic time (ns)."""

    monotonic: Times
    wall: Times

    @classmethod
    def of(cls, pairs: list[tuple[int, int]]) -> Clocks:
        """From (monotonic, wall) pairs in any order."""
        table = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1])

    def to_monotonic(self, wall_us: Times) -> Times:
        """Convert wall times (µs since the epoch) to monotonic ns, with the offset interpolated between pairs."""
        times = np.asarray(wall_us, dtype=np.int64) * 1000
        if not len(self.wall):
            return times
        offset = self.wall - self.monotonic
        base = int(offset[0])  # small differences, so that doubles interpolate to the nanosecond
        for part in np.split(times, range(PART, len(times), PART)):  # views: doubles take as much memory again
            part -= base + np.interp(part - self.wall[0], self.wall - self.wall[0], offset - base).astype(np.int64)
        return times

    def problems(self) -> list[str]:
        """Reasons why wall times of this run cannot be converted; [] when they can."""
        if len(self.monotonic) < 2:
            return ["fewer than two clock pairs were written: wall and monotonic time cannot be compared"]
        jumps = np.abs(np.diff(self.wall - self.monotonic))
        gaps = np.diff(self.monotonic)
        found = []
        if jumps.max() > DISAGREE:
            found.append(f"the clocks disagree: neighbouring pairs are {jumps.max() / MS:.0f} ms apart (bound 50 ms)")
        if gaps.max() > GAP:
            found.append(f"{gaps.max() / SECOND:.0f} s passed without a clock pair (bound 30 s)")
        return found
