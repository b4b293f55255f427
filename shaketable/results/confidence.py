"""What trials without a failure prove: an upper bound on how often one may still fail.

With n independent trials and none that failed, every probability p of a failure for which (1 - p)^n >= 1 - confidence
is still believable; the largest is

    p = 1 - (1 - confidence)^(1/n)

the exact (Clopper-Pearson) one-sided bound for zero failures: C. J. Clopper and E. S. Pearson, "The use of confidence
or fiducial limits illustrated in the case of the binomial", Biometrika 26 (1934). At 95 % it is close to 3/n, the rule
of three: J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983).

Assumed: the trials are independent and alike. Runs of one scenario are, as far as their seeds differ; the events of
one run are less so, since what loses one often loses a batch: a bound for each event is then too good to be true.
"""

from __future__ import annotations

#: How sure one wants to be.
CONFIDENCE = 0.95
#: From this rate down one tells 1 in so many.
SMALL = 0.01
#: Said beside every bound.
ASSUMPTION = "assuming that trials are independent and alike"


def upper(trials: int, confidence: float = CONFIDENCE) -> float | None:
    """The highest failure rate (0–1) that `trials` trials without a failure leave believable; None without trials.

    `trials` may count events as well. Raises ValueError for a number below 0, or a confidence outside (0, 1).
    """
    if trials < 0 or not 0 < confidence < 1:
        raise ValueError(f"expected trials >= 0 and 0 < confidence < 1, got {trials} and {confidence:g}")
    return 1 - (1 - confidence) ** (1 / trials) if trials else None


def told(trials: int, what: str = "trial", confidence: float = CONFIDENCE) -> str:
    """`none in 3 trials: at most 63 % of trials, with 95 % confidence`; without trials, that nothing is proved."""
    if (most := upper(trials, confidence)) is None:
        return f"no {what}s: nothing is proved"
    plural = f"{trials:,} {what}{'s' * (trials != 1)}"
    share_of = at_most(most, f"{what}s").replace("≤", "at most")
    return f"none in {plural}: {share_of}, with {confidence * 100:g} % confidence"


def at_most(value: float, what: str) -> str:
    """`≤ 64 % of trials`, `≤ 1 in 1,406 events`."""
    return f"≤ {share(value)} {'of ' if value >= SMALL else ''}{what}"


def share(value: float) -> str:
    """A rate from 0 to 1 in whole per cent or, where it is small, as 1 in so many; rounded up, to claim no more."""
    if value >= SMALL:
        return f"{-(-value * 100 // 1):.0f} %"
    return f"1 in {int(1 / value):,}"
