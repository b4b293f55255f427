"""The figures beside a verdict: how much, how fast, how soon after the last healing."""

from __future__ import annotations

import numpy as np

from shaketable.clock import MS, SECOND
from shaketable.history.columns import NEVER
from shaketable.history.history import History
from shaketable.history.lateness import harness_lateness, intake_latency


def figures(history: History) -> dict[str, float | None]:
    """By name, units in the names; None is what cannot be known.

    refused and indeterminate are attempts of well-formed events: what clients suffered, and sent again.
    """
    return {**_amounts(history), **_times(history), **_rates(history), **_recovery(history)}


def _amounts(history: History) -> dict[str, float | None]:
    events = history.events
    if events is None:
        names = ("scheduled", "acknowledged", "unsent", "given_up", "attempts", "refused", "indeterminate", "stored")
        return dict.fromkeys(names)
    turned_away = history.attempts.outcome[(events.expect == "accept").to_numpy()[history.attempts.event]]
    return {
        "scheduled": len(events), "acknowledged": int((events.outcome == "acknowledged").sum()),
        "unsent": int(events.unsent.sum()), "given_up": int(events.given_up.sum()), "attempts": len(history.attempts),
        "refused": int((turned_away == "refused").sum()), "indeterminate": int((turned_away == "indeterminate").sum()),
        "stored": None if history.stored is None else len(history.stored),
    }  # fmt: skip


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
    """Mean rates from the first to the last acknowledgement, and from the first to the last commit."""
    acknowledged = np.array([], dtype=np.int64)
    if history.events is not None:
        acknowledged = history.events.first_acknowledged[history.events.first_acknowledged != NEVER].to_numpy()
    rows = 0 if history.stored is None else int((history.stored.committed_at >= 0).sum())
    return {
        "acknowledged_per_s": _rate(acknowledged, len(acknowledged)), "stored_per_s": _rate(history.commits, rows),
        "run_s": _span(np.array(list(history.phases.values()), dtype=np.int64)),
    }  # fmt: skip


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
