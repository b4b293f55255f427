"""The figures of a run: amounts, rates, latencies, and recovery times after the last healing."""

from __future__ import annotations

import numpy as np

from shaketable.clock import MS, SECOND
from shaketable.evidence.history.columns import NEVER
from shaketable.evidence.history.history import History
from shaketable.evidence.history.lateness import harness_lateness, intake_latency
from shaketable.evidence.history.observations import MEMORY

#: A backlog shows a drain rate only if it exceeded the usual by DEEP events and took LONG_S seconds to drain.
DEEP, LONG_S = 100, 1.0
MIB = 1 << 20


def figures(history: History) -> dict[str, float | None]:
    """Figures by name, with units in the names; None is unknown.

    refused and indeterminate count attempts of well-formed events: failures that clients saw and retried. drained_per_s
    is the rate of stored events, new ones included, from the longest backlog until it is no longer than usual;
    backlog_left is the queue's length at the end. memory_peak_mib is the highest probed resident size of all the
    target's processes together; shared pages count once per process.
    """
    return {
        **_amounts(history),
        **_times(history),
        **_rates(history),
        **_recovery(history),
        **_backlog(history),
        "memory_peak_mib": _memory(history),
    }


def _amounts(history: History) -> dict[str, float | None]:
    events = history.events
    if events is None:
        names = ("scheduled", "acknowledged", "unsent", "given_up", "attempts", "refused", "indeterminate", "stored")
        return dict.fromkeys(names)
    turned_away = history.attempts.outcome[(events.expect == "accept").to_numpy()[history.attempts.event]]
    return {
        "scheduled": len(events),
        "acknowledged": int((events.outcome == "acknowledged").sum()),
        "unsent": int(events.unsent.sum()),
        "given_up": int(events.given_up.sum()),
        "attempts": len(history.attempts),
        "refused": int((turned_away == "refused").sum()),
        "indeterminate": int((turned_away == "indeterminate").sum()),
        "stored": None if history.stored is None else len(history.stored),
    }


def _times(history: History) -> dict[str, float | None]:
    late = harness_lateness(history)
    intake = None if history.events is None else intake_latency(history)
    return {f"lateness_p{p}_ms": _quantile(late, p) for p in (50, 99)} | {
        f"intake_p{p}_ms": _quantile(intake, p) for p in (50, 99)
    }


def _quantile(nanoseconds: object, percent: int) -> float | None:
    if nanoseconds is None or not len(values := np.asarray(nanoseconds)):
        return None
    return round(float(np.quantile(values, percent / 100)) / MS, 3)


def _rates(history: History) -> dict[str, float | None]:
    """Mean rates between the first and the last acknowledgement, and between the first and the last commit."""
    acknowledged = np.array([], dtype=np.int64)
    if history.events is not None:
        acknowledged = history.events.first_acknowledged[history.events.first_acknowledged != NEVER].to_numpy()
    rows = 0 if history.stored is None else int((history.stored.committed_at >= 0).sum())
    return {
        "acknowledged_per_s": _rate(acknowledged, len(acknowledged)),
        "stored_per_s": _rate(history.commits, rows),
        "run_s": _span(np.array(list(history.phases.values()), dtype=np.int64)),
    }


def _rate(times: np.ndarray, amount: int) -> float | None:
    span = _span(times)
    return round(amount / span, 1) if span else None


def _span(times: np.ndarray) -> float | None:
    return round(float(times.max() - times.min()) / SECOND, 3) if len(times) else None


def _recovery(history: History) -> dict[str, float | None]:
    healed = history.healed_at
    if healed is None:
        return {"heal_to_first_commit_s": None, "heal_to_empty_backlog_s": None}
    return {
        "heal_to_first_commit_s": _seconds_until(history.commits, healed),
        "heal_to_empty_backlog_s": _seconds_until(history.empty_at, healed),
    }


def _seconds_until(times: np.ndarray, since: int) -> float | None:
    after = times[times >= since]
    return round(float(after.min() - since) / SECOND, 3) if len(after) else None


def _backlog(history: History) -> dict[str, float | None]:
    left = history.queue_length
    if history.probes is None or history.probes.queue.isna().all():
        return {"backlog_longest": None, "backlog_left": left, "drained_per_s": None}
    longest = history.probes.queue.max()
    began = int(history.probes.time[history.probes.queue == longest].max())
    gone = history.empty_at[history.empty_at >= began]
    deep = longest - history.usual_queue >= DEEP
    drained = _stored_between(history, began, int(gone[0])) if deep and len(gone) else None
    return {"backlog_longest": int(longest), "backlog_left": left, "drained_per_s": drained}


def _stored_between(history: History, begin: int, end: int) -> float | None:
    """Rows per second; None without commit times, or for too short a time."""
    if history.stored is None or not len(history.commits) or end - begin < LONG_S * SECOND:
        return None
    known = history.stored.committed_at[history.stored.committed_at >= 0].to_numpy()
    times = history.clocks.to_monotonic(known)
    return round(int(((times >= begin) & (times < end)).sum()) * SECOND / (end - begin), 1)


def _memory(history: History) -> float | None:
    """The highest memory; None if any process was never observed, since the sum of the others would be too low."""
    if history.probes is None:
        return None
    seen = history.probes.filter(regex=f"^{MEMORY}")
    if not len(seen.columns) or not (seen > 0).any().all():
        return None
    return round(float(seen.sum(axis=1).max()) / MIB, 1)
