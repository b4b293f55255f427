"""When a figure is worse than noise: by the trials of both sides alone, whatever the noise looks like.

The rule: even the best of the new trials is worse than the worst of the old ones, and by more than either side's trials
differ among themselves. Where nothing changed, the first half alone happens in 1 of C(n+m, n) comparisons whatever the
distribution (U = 0: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically
larger than the other", Annals of Mathematical Statistics 18 (1947)): 1 in 20 for 3 and 3 trials. With the second half
it is below 1 in 100 for 3 and 3, 1 in 400 for 4 and 4 (`tests/results/test_significance.py` counts, for normal,
uniform, exponential and log-normal noise). Fewer than 3 trials on a side show no noise, so that nothing can be said.

How often something fails is compared by Fisher's exact test, one-sided (R. A. Fisher, "On the interpretation of χ² from
contingency tables, and the calculation of P", Journal of the Royal Statistical Society 85 (1922)).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

#: Trials on either side below which their noise is not known.
FEWEST = 3
#: A difference below this share of the old median is none.
LEAST_SHARE = 0.1
#: Failures that are more frequent by chance less often than this are more frequent.
CHANCE = 0.05


def beyond(old: Sequence[float], new: Sequence[float], least: float) -> int:
    """1: the new values are greater beyond the noise; -1: they are less; 0: neither. `least` is no difference yet.

    Raises ValueError for fewer than `FEWEST` values on a side.
    """
    if min(len(old), len(new)) < FEWEST:
        raise ValueError(f"expected at least {FEWEST} trials on either side, got {len(old)} and {len(new)}")
    wide = max(max(old) - min(old), max(new) - min(new))
    enough = max(wide, least, LEAST_SHARE * abs(sorted(old)[len(old) // 2]))
    return int(min(new) - max(old) > enough) - int(min(old) - max(new) > enough)


def more_often(old: tuple[int, int], new: tuple[int, int]) -> bool:
    """Whether something that failed in so many of so many old trials fails more often in the new ones, beyond chance.

    What never failed in the old trials, and now does, always counts: a promise that was kept is broken.
    """
    (few, before), (many, now) = old, new
    if many == 0 or not few:
        return many > 0
    failures, all_ = few + many, before + now
    chance = sum(comb(now, k) * comb(before, failures - k) for k in range(many, min(now, failures) + 1))
    return chance / comb(all_, failures) <= CHANCE
