"""After the last healing, all is well again in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable.checks.check import Budget, Finding, Verdict
from shaketable.checks.kinds import losses
from shaketable.checks.kinds.findings import not_applicable, some, unknown
from shaketable.checks.kinds.given import given
from shaketable.checks.kinds.health_honest import WELL
from shaketable.checks.kinds.incarnation import CLOSED, incarnations, unread
from shaketable.checks.kinds.slowness import cannot_be_told, harness_slower, rate_that_tells, slower
from shaketable.checks.kinds.spans import Span, observed_at
from shaketable.checks.kinds.usual import total_s, usual_s
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER, Ints
from shaketable.evidence.history.unreached import longer_s, pauses_unknown

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: The budget of each measure.
_FIELDS = {f"{name}_s": f"{name}_within_s" for name in ("commit", "closed", "healthy", "backlog")}
#: The measures: seconds from the last healing, or None for never; absent when it cannot be seen.
Seconds = dict[str, float | None]


@dataclass(frozen=True)
class RecoversInTime:
    """From the last healing on, commits, breakers, health and backlog are well again within their budgets.

    commit_s: to the first commit. closed_s: until every living breaker is closed. healthy_s: to the first score
    above 70. backlog_s: until the queue is no longer than it was before the first fault; a backlog that is still
    there at the end never went. A measure that was not seen although its budget ends after the run stopped watching
    is unknown. slower: the median time from an event's intended send to its commit, once the backlog was gone
    from the queue and from the clients, as a multiple of that before the first fault; clients that still wait after
    the budget count as slow. Unknown where the backlog went only after the last event was due, or where the harness
    itself became late as many times. Budgets are `…_within_s`; those left out are two recovery times, a lease,
    an attempt and the health grace, for the backlog with the scenario's drain on top. Where a setting of the scenario
    did not reach the target and the target's own bound is longer, budgets grow by the difference; where the setting
    was a pause, a budget is at least the one that is left out. A budget of the user's own stays as it is.

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
    of_work: ClassVar[bool] = True
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
        seen, bounds, watched_s = _measured(history), self._bounds(history), _watched_s(history)
        late = {
            name: f"{_told(seconds)} (budget {bounds[name]:g} s)"
            for name, seconds in seen.items()
            if (watched_s if seconds is None else seconds) > bounds[name]
        }
        unseen = [name for name, seconds in seen.items() if seconds is None and name not in late]
        times, busier = slower(history), ""
        if times is not None and times > self.slower_times:
            late, busier = self._slower(history, times, late)
        found: dict[str, int | float] = {name: round(s, 3) for name, s in seen.items() if s is not None}
        found |= {} if times is None else {"slower": round(times, 2)}
        if late:
            lines = [f"{name.removesuffix('_s')}: {what}" for name, what in late.items()]
            return Finding(Verdict.FAILED, found, some(late=lines), "; ".join(lines))
        if why := busier or _not_seen(unseen, bounds, watched_s) or _unjudged(history, seen, times):
            return Finding(Verdict.UNKNOWN, found, {}, why)
        return Finding(Verdict.PASSED, found)

    def _slower(self, history: History, times: float, late: dict[str, str]) -> tuple[dict[str, str], str]:
        """With the slowness among what is late; or, where the machine was busier, why that is unknown."""
        said = f"{times:.1f} times as slow as before (budget {self.slower_times:g})"
        if (harness := harness_slower(history)) > self.slower_times:
            return late, f"slower: {said}; but the harness itself sent {harness:.1f} times as late: a busier machine"
        return late | {"slower": said}, ""

    def _bounds(self, history: History) -> dict[str, float]:
        """By measure, its budget in seconds."""
        usual, grown = usual_s(history.timing), total_s(longer_s(history))
        least, own = usual if pauses_unknown(history) else 0.0, given(self, history)
        bounds: dict[str, float] = {}
        for name, field in _FIELDS.items():
            bound = getattr(self, field)
            if bound is None:
                bounds[name] = usual + (history.scenario.drain_s if name == "backlog_s" else 0.0)
            else:
                bounds[name] = bound if field in own else max(bound + grown, least)
        return bounds


def _watched_s(history: History) -> float:
    """Seconds from the last healing until the run stopped watching."""
    assert history.healed_at is not None
    return (observed_at(history) - history.healed_at) / SECOND


def _not_seen(unseen: list[str], bounds: dict[str, float], watched_s: float) -> str:
    """Why what has not recovered yet need not be late; "" when all has."""
    if not unseen:
        return ""
    lines = ", ".join(f"{name.removesuffix('_s')} (budget {bounds[name]:g} s)" for name in unseen)
    return f"not yet after {watched_s:.1f} s, when the run stopped watching: {lines}"


def _unjudged(history: History, seen: Seconds, times: float | None) -> str:
    """Why the evidence cannot show that all is well; "" when it does."""
    if "commit_s" not in seen or "backlog_s" not in seen:
        return "neither commit times nor the queue's length is known well enough"
    if times is not None or not cannot_be_told(history):
        return ""
    why = "the backlog went only after the last event, so nobody knows whether all stays slower"
    rate = rate_that_tells(history)
    return f"{why}: run {history.scenario.name.partition('@')[0]}@{rate} on this target" if rate else why


def _told(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def _measured(history: History) -> Seconds:
    """The measures that can be observed."""
    found: Seconds = {}
    if (commits := _stores(history)) is not None:
        found["commit_s"] = _after(history, commits)
    if history.capabilities.breaker and incarnations(history) and not unread(history):
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
    """Whether anything was left to store after the last healing, as far as is known."""
    assert history.events is not None
    assert history.healed_at is not None
    if history.stored is not None:
        left = losses.acknowledged(history) & (history.committed >= history.healed_at)  # NEVER: it is not, or unknown
        if not (left & (history.dead is None or history.dead_letters_of == 0)).any():
            return False
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
