"""The upper confidence bound on the failure rate after trials without a failure.

After n independent trials without a failure, every failure probability p with (1 - p)^n >= 1 - confidence is still
plausible; the largest is

    p = 1 - (1 - confidence)^(1/n)

the exact (Clopper-Pearson) one-sided bound for zero failures: C. J. Clopper and E. S. Pearson, "The use of confidence
or fiducial limits illustrated in the case of the binomial", Biometrika 26 (1934). At 95 % it is close to 3/n, the rule
of three: J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983).

Assumption: the trials are independent and identically distributed. Runs of one scenario are, as far as their seeds
differ. Events of one run are less so, since the loss of one event often means the loss of a batch; a bound per event is
then too optimistic.
"""

from __future__ import annotations

#: The confidence level.
CONFIDENCE = 0.95
#: Rates below this one are written as 1 in n.
SMALL = 0.01
#: Stated with every bound.
ASSUMPTION = "assuming that trials are independent and alike"


def upper(trials: int, confidence: float = CONFIDENCE) -> float | None:
    """The highest plausible failure rate (0–1) after `trials` trials without a failure; None without trials.

    `trials` may also count events. Raises ValueError for a negative number, or a confidence outside (0, 1).
    """
    if trials < 0 or not 0 < confidence < 1:
        raise ValueError(f"expected trials >= 0 and 0 < confidence < 1, got {trials} and {confidence:g}")
    return 1 - (1 - confidence) ** (1 / trials) if trials else None


def told(trials: int, what: str = "trial", confidence: float = CONFIDENCE) -> str:
    """Return `none in 3 trials: at most 63 % of trials, with 95 % confidence`, or `no trials: nothing is proved`."""
    if (most := upper(trials, confidence)) is None:
        return f"no {what}s: nothing is proved"
    plural = f"{trials:,} {what}{'s' * (trials != 1)}"
    share_of = at_most(most, f"{what}s").replace("≤", "at most")
    return f"none in {plural}: {share_of}, with {confidence * 100:g} % confidence"


def at_most(value: float, what: str) -> str:
    """`≤ 64 % of trials`, `≤ 1 in 1,406 events`."""
    return f"≤ {share(value)} {'of ' if value >= SMALL else ''}{what}"


def share(value: float) -> str:
    """Format a rate from 0 to 1 in whole per cent, or as 1 in n if small; rounded up, to stay conservative."""
    if value >= SMALL:
        return f"{-(-value * 100 // 1):.0f} %"
    return f"1 in {int(1 / value):,}"
