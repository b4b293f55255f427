"""The counters of the target's /metrics against the history, and Retry-After."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shaketable import plural
from shaketable.clock import SECOND
from shaketable.evidence.history.observations import COUNTERS
from shaketable.load.outcome import FOR_NOW

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: A counter is current when it was read so long after the last commit and the last attempt (ns).
SETTLED = SECOND


def falling(history: History) -> list[str]:
    """Counters that went back within one incarnation of a process."""
    if history.counters is None:
        return []
    return [
        f"{name} of {process} went back from {before:,.0f} to {after:,.0f}"
        for (process, _), read in _by_incarnation(history.counters)
        for name in COUNTERS
        for before, after in _falls(read[name].dropna())
    ]


def _falls(values: pd.Series[float]) -> Iterator[tuple[float, float]]:
    told = values.to_numpy()
    for at in np.flatnonzero(np.diff(told) < 0).tolist():
        yield float(told[at]), float(told[at + 1])


def false_sums(history: History) -> list[str] | None:
    """Counters whose sum over all processes is not what happened; None if no sum could be judged.

    A killed process takes its last counts along, so a sum that is too small counts only if every process lived through
    the run, and was read after the last commit and the last attempt.
    """
    if history.counters is None or history.events is None or history.stored is None or not len(history.counters):
        return None
    last = pd.DataFrame([read.ffill().iloc[-1] for _, read in _by_incarnation(history.counters)])
    sums = {name: float(last[name].sum()) for name in COUNTERS if last[name].notna().any()}
    bounds = _bounds(history, sums, whole=_whole(history, last))
    if not bounds:
        return None
    return [
        f"{name} was {sums[name]:,.0f}, and {least:,.0f} to {most:,.0f} happened"
        for name, (least, most) in bounds.items()
        if not least <= sums[name] <= most
    ]


def _bounds(history: History, sums: dict[str, float], whole: bool) -> dict[str, tuple[float, float]]:
    """The least and the most that each counter may show."""
    assert history.events is not None
    assert history.stored is not None
    found: dict[str, tuple[float, float]] = {}
    if "accepted" in sums:
        outcomes = history.attempts.outcome
        least = int((history.events.outcome == "acknowledged").sum()) if whole else 0
        found["accepted"] = least, int(outcomes.isin(("acknowledged", "indeterminate")).sum())
    rows = len(history.stored)
    if "stored" in sums and not history.target.stored.updates and not history.stored.unreadable.notna().any():
        # a commit whose reply was lost is counted as a duplicate, when its events are delivered again
        least = rows - int(sums["duplicates"]) if whole and "duplicates" in sums else 0
        found["stored"] = max(0, least), rows
    return found


def _whole(history: History, last: pd.DataFrame) -> bool:
    """Whether no process ended before the observation, and each was read after all was done."""
    assert history.processes is not None
    end = history.phases.get("observe", 0)
    if not end or (~history.processes.started & (history.processes.time < end)).any():
        return False
    done = max(history.attempts.invoked_at.max(), history.commits[-1] if len(history.commits) else 0)
    return bool((last.time >= done + SETTLED).all()) and len(last) == int(history.processes.started.sum())


def _by_incarnation(counters: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    for (process, incarnation), read in counters.groupby(["process", "incarnation"], sort=True):
        yield (str(process), str(incarnation)), read.sort_values("time")


def unadvised(history: History) -> str | None:
    """How many refusals for now had no Retry-After, "" for none; None if it is not promised or nothing was refused."""
    if not history.capabilities.retry_after or history.target.ingest.batch is not None:
        return None
    refused = history.attempts[history.attempts.status.isin(list(FOR_NOW))]
    if not len(refused):
        return None
    missing = int((~refused.advised).sum())
    return plural.counted(missing, "answers with 429 or 503 have no Retry-After") if missing else ""
