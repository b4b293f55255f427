"""Distinguish a regression from noise by the trials of both sides, for any distribution of the noise.

The rule: even the best new trial is worse than the worst old one, by more than the range of either side's trials.
Without a change, the first condition alone holds in 1 of C(n+m, n) comparisons for any distribution (U = 0: H. B. Mann
and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the other", Annals of
Mathematical Statistics 18 (1947)): 1 in 20 for 3 and 3 trials. With the second condition it is below 1 in 100 for 3 and
3, 1 in 400 for 4 and 4 (`tests/results/test_significance.py` counts, for normal, uniform, exponential and log-normal
noise). Fewer than 3 trials on a side do not show the noise, so there is no conclusion.

Failure rates are compared by Fisher's exact test, one-sided (R. A. Fisher, "On the interpretation of χ² from
contingency tables, and the calculation of P", Journal of the Royal Statistical Society 85 (1922)).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

#: The fewest trials on either side that show the noise.
FEWEST = 3
#: Differences below this share of the old median are ignored.
LEAST_SHARE = 0.1
#: Significance level of Fisher's test.
CHANCE = 0.05


def beyond(old: Sequence[float], new: Sequence[float], least: float) -> int:
    """Return 1 if the new values are greater beyond the noise, -1 if less, else 0; ignore differences up to `least`.

    Raises ValueError for fewer than `FEWEST` values on a side.
    """
    if min(len(old), len(new)) < FEWEST:
        raise ValueError(f"expected at least {FEWEST} trials on either side, got {len(old)} and {len(new)}")
    wide = max(max(old) - min(old), max(new) - min(new))
    enough = max(wide, least, LEAST_SHARE * abs(sorted(old)[len(old) // 2]))
    return int(min(new) - max(old) > enough) - int(min(old) - max(new) > enough)


def more_often(old: tuple[int, int], new: tuple[int, int]) -> bool:
    """Whether the new trials fail more often than the old ones, beyond chance; both are (failures, trials).

    Any failure counts if none occurred before: a promise that held is now broken.
    """
    (few, before), (many, now) = old, new
    if many == 0 or not few:
        return many > 0
    failures, all_ = few + many, before + now
    chance = sum(comb(now, k) * comb(before, failures - k) for k in range(many, min(now, failures) + 1))
    return chance / comb(all_, failures) <= CHANCE
