"""After the last healing, all is well again in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable.checks.check import Budget, Finding, Verdict
from shaketable.checks.kinds.findings import not_applicable, some, unknown
from shaketable.checks.kinds.health_honest import WELL
from shaketable.checks.kinds.incarnation import CLOSED, incarnations
from shaketable.checks.kinds.slowness import cannot_be_told, harness_slower, slower
from shaketable.checks.kinds.spans import Span, observed_at
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER, Ints

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: The measures: seconds from the last healing, or None for never; absent when it cannot be seen.
Seconds = dict[str, float | None]


@dataclass(frozen=True)
class RecoversInTime:
    """From the last healing on, commits, breakers, health and backlog are well again within their budgets.

    commit_s: to the first commit. closed_s: until every living breaker is closed. healthy_s: to the first score
    above 70. backlog_s: until the queue is no longer than it was before the first fault; a backlog that is still
    there at the end never went. slower: the median time from an event's intended send to its commit, once the
    backlog was gone, as a multiple of that before the first fault; unknown where it went only after the last
    event was due, or where the harness itself became late as many times. Budgets are `…_within_s`; those left out
    are two recovery times, a lease, an attempt and the health grace, for the backlog with the scenario's drain on
    top.

    Evidence: commit times, transitions, probes, the faults' times. No fault, one that was never healed, or neither
    commits nor backlog visible: unknown. Capabilities that the target does not claim are not judged.

    Does not prove: that it recovers from longer outages as quickly, or at all.
    """

    commit_within_s: float | None = None
    closed_within_s: float | None = None
    healthy_within_s: float | None = None
    backlog_within_s: float | None = None
    slower_times: float = 3.0
    name: ClassVar[str] = "recovers_in_time"
    by_the_clock: ClassVar[bool] = True
    held: ClassVar[str] = "it recovered in time"
    budgets: ClassVar[Mapping[str, Budget]] = {
        "recovery_s": Budget(
            ("commit_within_s", "closed_within_s", "healthy_within_s", "backlog_within_s"),
            means="from the last healing until all is well again: commits, breakers, health, backlog",
        ),
    }

    def judge(self, history: History) -> Finding:
        if not history.faults:
            return not_applicable("nothing was broken, so there is nothing to recover from")
        if history.healed_at is None:
            return unknown("a fault was never injected or never healed")
        if history.healed_at >= observed_at(history) or observed_at(history) == NEVER:
            return unknown("the run was cut off before it could recover")
        seen, bounds = _measured(history), self._bounds(history)
        late = {
            name: f"{_told(seconds)} (budget {bounds[name]:g} s)"
            for name, seconds in seen.items()
            if seconds is None or seconds > bounds[name]
        }
        times = slower(history)
        busier = ""
        if times is not None and times > self.slower_times:
            said = f"{times:.1f} times as slow as before (budget {self.slower_times:g})"
            if (harness := harness_slower(history)) > self.slower_times:
                busier = f"slower: {said}; but the harness itself sent {harness:.1f} times as late: a busier machine"
            else:
                late["slower"] = said
        found: dict[str, int | float] = {name: round(s, 3) for name, s in seen.items() if s is not None}
        found |= {} if times is None else {"slower": round(times, 2)}
        if late:
            lines = [f"{name.removesuffix('_s')}: {what}" for name, what in late.items()]
            return Finding(Verdict.FAILED, found, some(late=lines), "; ".join(lines))
        if busier:
            return Finding(Verdict.UNKNOWN, found, {}, busier)
        if "commit_s" not in seen or "backlog_s" not in seen:
            return Finding(
                Verdict.UNKNOWN, found, {}, "neither commit times nor the queue's length is known well enough"
            )
        if times is None and cannot_be_told(history):
            why = "the backlog went only after the last event: whether all stays slower needs a longer recover_s"
            return Finding(Verdict.UNKNOWN, found, {}, why)
        return Finding(Verdict.PASSED, found)

    def _bounds(self, history: History) -> dict[str, float]:
        timing = history.timing
        usual = 2 * timing.recovery_s + timing.lease_s + timing.attempt_timeout_s + timing.health_grace_s
        given = {"commit_s": self.commit_within_s, "closed_s": self.closed_within_s, "healthy_s": self.healthy_within_s}
        whole = {name: usual if bound is None else bound for name, bound in given.items()}
        drained = usual + history.scenario.drain_s if self.backlog_within_s is None else self.backlog_within_s
        return whole | {"backlog_s": drained}


def _told(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def _measured(history: History) -> Seconds:
    """The measures that can be observed."""
    found: Seconds = {}
    if (commits := _stores(history)) is not None:
        found["commit_s"] = _after(history, commits)
    if history.capabilities.breaker and incarnations(history):
        found["closed_s"] = _closed(history)
    if history.capabilities.health and history.probes is not None:
        well = history.probes[history.probes.answered & (history.probes.health > WELL)]
        found["healthy_s"] = _after(history, well.time.to_numpy())
    if history.probes is not None and history.probes.queue.notna().any():
        found["backlog_s"] = _backlog(history)
    return found


def _after(history: History, times: Ints) -> float | None:
    """Seconds from the last healing to the first of these times; None when there is none."""
    assert history.healed_at is not None
    after = times[times >= history.healed_at]
    return float(after.min() - history.healed_at) / SECOND if len(after) else None


def _stores(history: History) -> Ints | None:
    """When something was stored: by commit times, else by the count of rows; None when neither is known or awaited."""
    if history.events is None or not _awaited(history):
        return None
    if len(history.commits):
        return history.commits
    if history.probes is None or history.probes.stored.isna().all():
        return None
    counted = history.probes.dropna(subset="stored")
    return np.asarray(counted.time.to_numpy()[1:][np.diff(counted.stored) > 0])


def _awaited(history: History) -> bool:
    """Whether anything was left to store after the last healing."""
    assert history.events is not None
    assert history.healed_at is not None
    later = Span(history.healed_at, NEVER).of(history.events.first_acknowledged.to_numpy())
    waiting = (
        None if history.probes is None else history.probes[history.probes.time >= history.healed_at].queue.dropna()
    )
    return len(later) > 0 or (waiting is not None and len(waiting) > 0 and float(waiting.iloc[0]) > 0)


def _closed(history: History) -> float | None:
    """Seconds until the last of the living breakers stayed closed; 0 when all were."""
    assert history.healed_at is not None
    alive = [life for life in incarnations(history) if not life.ended]
    if any(life.states[-1] != CLOSED for life in alive):
        return None
    return max(0.0, *((life.times[-1] - history.healed_at) / SECOND for life in alive), 0.0)


def _backlog(history: History) -> float | None:
    """Seconds to the first short queue; None when it is long at the end, or never was short."""
    assert history.probes is not None
    last = history.probes[history.probes.time < observed_at(history)].queue.dropna()
    if len(last) and float(last.iloc[-1]) > history.usual_queue:
        return None
    return _after(history, history.empty_at)
