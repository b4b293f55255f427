"""Bins: a run's time axis in equal parts, few enough to draw for any number of events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Readable widths in seconds.
WIDTHS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
#: The most bins.
MOST = 600


@dataclass(frozen=True)
class Bins:
    """`count` bins of `width` seconds, starting at T0."""

    width: float
    count: int

    @classmethod
    def over(cls, seconds: float) -> Bins:
        """The finest bins, at most `MOST`, over this many seconds."""
        width = next((w for w in WIDTHS if seconds / w <= MOST), seconds / MOST)
        return cls(width, max(1, math.ceil(round(seconds / width, 6))))

    @property
    def left(self) -> Floats:
        """The start of each bin in seconds after T0."""
        return np.arange(self.count, dtype=np.float64) * self.width

    @property
    def edges(self) -> Floats:
        """All `count` + 1 edges."""
        return np.arange(self.count + 1, dtype=np.float64) * self.width

    def rate(self, times: Any) -> Floats:
        """The rate per second of `times` (s) in each bin."""
        return _floats(np.histogram(np.asarray(times, dtype=float), self.edges)[0] / self.width)

    def reduce(self, times: Any, values: Any, how: str, **options: Any) -> Floats:
        """One value per bin (`min`, `max`, `quantile` with q=…); NaN for an empty bin."""
        at = np.floor(np.asarray(times, dtype=float) / self.width)
        inside = (at >= 0) & (at < self.count)
        series = pd.Series(np.asarray(values, dtype=float)[inside]).groupby(at[inside].astype(int))
        return _floats(getattr(series, how)(**options).reindex(range(self.count)))

    def slope(self, times: Any, totals: Any, apart: float) -> Floats:
        """The growth rate of a running total in each bin; NaN without readings.

        Between two readings that are more than `apart` seconds and a bin apart, nobody knows when the total grew.
        """
        times, totals = np.asarray(times, dtype=float), np.asarray(totals, dtype=float)
        known = ~np.isnan(totals)
        if known.sum() < 2:
            return np.full(self.count, np.nan)
        read = times[known]
        at = np.interp(self.edges, read, totals[known], left=np.nan, right=np.nan)
        following = np.searchsorted(read, self.edges).clip(1, len(read) - 1)
        far = read[following] - read[following - 1] > max(apart, self.width)
        at[far & (self.edges > read[following - 1]) & (self.edges < read[following])] = np.nan
        return _floats(np.maximum(np.diff(at) / self.width, 0))


def carried(values: Floats, seconds: float, width: float) -> Floats:
    """Fill gaps with the previous reading, if it is at most `seconds` old."""
    return _floats(pd.Series(values).ffill(limit=max(1, math.ceil(seconds / width))))


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64)
