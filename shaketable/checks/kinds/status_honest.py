"""The target reports the state that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from shaketable.checks.check import Finding, Verdict
from shaketable.checks.kinds import counters
from shaketable.checks.kinds.findings import counts, not_applicable, some, unknown
from shaketable.checks.kinds.incarnation import CLOSED, HALF_OPEN, OPEN, Incarnation, incarnations
from shaketable.checks.kinds.last_seen import failed_at
from shaketable.checks.kinds.spans import Span, observed_at, told
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: The states of a breaker, worst last.
STATES = (CLOSED, HALF_OPEN, OPEN)


@dataclass(frozen=True)
class StatusHonest:
    """The state in /health, the counters in /metrics and Retry-After are those that the harness sees itself.

    false_breaker_s: seconds in which circuitBreakerState was the worst state of the living processes at no time from
    lag_s (or the health grace, if that is longer) before the request to its answer, by their own transitions.
    false_depth_s: seconds in which queueDepth was not between half the shortest and twice the longest queue that was
    read within that time, or within `spare` events of those. Each may last `false_s`. false_dead: deadLetterCount in
    the last answer is not the number of dead letters that were read after it; not judged where one of them may have
    died within that time: by its last_failed_at, or without one unless queue and clients were still.
    falling: a counter of `[metrics]` went back within one incarnation of a process. false_sums: `accepted`, added up
    over all processes, is more than the attempts that were acknowledged or indeterminate, or less than the events that
    were acknowledged; `stored` is more than the stored rows, or less than those that `duplicates` does not account
    for. Too little is judged only if every process lived through the run. unadvised: a 429 or 503 without Retry-After,
    where it is promised (capabilities.retry_after) and a request holds one event.

    Evidence: /health every 200 ms and /metrics every second, the transitions, the queue, the dead letters and the
    stored rows read directly, the journals. A member or counter that the target never reports is not judged, nor are
    readings of /health while its intake was blocked or a fault was aimed at one of its processes, and for lag_s after:
    it may then know its workers and its queue no better. Nor is a reading beside which the harness itself could not
    read the same. No answer that could be judged: unknown. A target without health: not applicable.

    Does not prove: that a number is exact while it changes.
    """

    lag_s: float = 3.0
    false_s: float = 1.0
    spare: int = 100
    name: ClassVar[str] = "status_honest"
    by_the_clock: ClassVar[bool] = True
    held: ClassVar[str] = "its status was the one it was in"

    def judge(self, history: History) -> Finding:
        if not history.capabilities.health:
            return not_applicable("the target claims no health (capabilities.health)")
        if history.probes is None or not len(history.probes) or "baseline" not in history.phases:
            return unknown("probes.jsonl is missing or empty: nobody asked for the status")
        readings = self._readings(history)
        breaker, depth = self._false_breaker(history, readings), self._false_depth(history, readings)
        dead = _false_dead(history, self._lag(history))
        falling, sums, unadvised = counters.falling(history), counters.false_sums(history), counters.unadvised(history)
        found = counts(
            breaker_judged=len(breaker),
            false_breaker_s=_seconds(breaker),
            depth_judged=len(depth),
            false_depth_s=_seconds(depth),
            dead_judged=int(dead is not None),
            false_dead=int(bool(dead)),
            sums_judged=int(sums is not None),
            false_sums=sums or [],
            falling=falling,
            unadvised=int(bool(unadvised)),
        )
        why = "; ".join(
            [f"circuitBreakerState was false for {_seconds(breaker):.1f} s"] * (_seconds(breaker) > self.false_s)
            + [f"queueDepth was false for {_seconds(depth):.1f} s"] * (_seconds(depth) > self.false_s)
            + ([dead] if dead else [])
            + falling[:1]
            + (sums or [])
            + ([unadvised] if unadvised else [])
        )
        if why:
            return Finding(Verdict.FAILED, found, _members(history, breaker=breaker, depth=depth), why)
        if not len(breaker) and not len(depth) and (dead, sums, unadvised) == (None, None, None):
            return unknown("no answer reported a breaker, a queue or dead letters that could be judged")
        return Finding(Verdict.PASSED, found)

    def _readings(self, history: History) -> pd.DataFrame:
        """The answers that can be judged, each with the seconds that it stands for."""
        assert history.probes is not None
        probes, lag = history.probes, self._lag(history)
        seconds = np.append(np.diff(probes.time), 0).clip(0, SECOND) / SECOND
        clear = probes.answered & (probes.time >= history.phases["baseline"] + lag)
        clear &= probes.time < observed_at(history)
        for fault in history.faults:
            stops = fault.blocks_intake or bool(fault.spec.get("process"))
            if stops and fault.began != NEVER:
                clear &= (probes.time < fault.began) | (probes.time >= min(fault.healed, NEVER - lag) + lag)
        return probes.assign(seconds=seconds)[clear.to_numpy(dtype=bool)]

    def _lag(self, history: History) -> int:
        """How old a reported state may be (ns)."""
        return int(max(self.lag_s, history.timing.health_grace_s) * SECOND)

    def _false_breaker(self, history: History, readings: pd.DataFrame) -> pd.DataFrame:
        """The judged readings of the breaker, with `false` and `shown`."""
        lives = incarnations(history) if history.capabilities.breaker else []
        if not lives or not all(life.is_whole for life in lives):
            return readings.iloc[:0].assign(false=False, shown="")
        reported = readings[readings.breaker.astype(str).str.upper().isin(STATES)]
        lag = self._lag(history)
        spans = zip(reported.time.tolist(), reported.ended.tolist(), strict=True)
        allowed = [_worst(lives, Span(began - lag, ended + 1)) for began, ended in spans]
        states = reported.breaker.astype(str).str.upper().tolist()
        false = [state not in may for state, may in zip(states, allowed, strict=True)]
        shown = [f"{state}, was {' or '.join(sorted(may))}" for state, may in zip(states, allowed, strict=True)]
        return reported.assign(false=false, shown=shown)[np.array([bool(may) for may in allowed], dtype=bool)]

    def _false_depth(self, history: History, readings: pd.DataFrame) -> pd.DataFrame:
        """The judged readings of the depth, with `false` and `shown`."""
        assert history.probes is not None
        reported = readings[readings.depth.notna()]
        known, lag = history.probes[["time", "queue"]], self._lag(history)
        times, lengths = known.time.to_numpy(), known.queue.to_numpy()
        rows = []
        for began, ended, depth in reported[["time", "ended", "depth"]].itertuples(index=False):
            window = lengths[np.searchsorted(times, began - lag) : np.searchsorted(times, ended + SECOND, side="right")]
            least, most = (window.min(), window.max()) if len(window) else (np.nan, np.nan)  # NaN if one is unknown
            false = depth < least / 2 - self.spare or depth > most * 2 + self.spare
            rows.append((false, f"{depth:g}, was {least:g} to {most:g}", not np.isnan(least)))
        false, shown, judged = ([row[i] for row in rows] for i in range(3))
        return reported.assign(false=false, shown=shown)[np.array(judged, dtype=bool)]


def _worst(lives: list[Incarnation], span: Span) -> set[str]:
    """The worst states of the living processes within the span; one that ended in it may count or not."""
    edges = {span.begin, *(at for life in lives for at in (*life.times, life.end) if span.has(at))}
    found: set[str] = set()
    for at in edges:
        began = [life for life in lives if life.times[0] <= at]
        for end in (at, span.begin):  # without those that have ended, and with those that ended within the span
            states = [state for life in began if life.end > end and (state := life.state_at(at)) in STATES]
            found |= {max(states, key=STATES.index)} if states else set()
    return found


def _false_dead(history: History, lag: int) -> str | None:
    """How the count in the last answer differs from the dead letters that were read; "" if not, None if unknown."""
    assert history.probes is not None
    seen = history.probes[history.probes.answered & (history.probes.time < observed_at(history))]
    if not len(seen) or history.dead is None or np.isnan(seen.dead.iloc[-1]) or history.dead.more.astype(bool).any():
        return None
    since, failed = seen.time.iloc[-1] - lag, [failed_at(history, told) for told in history.dead.last_failed_at]
    if any(at > since for at in failed if at is not None) or (None in failed and not _still(history, since)):
        return None  # it may not have counted it yet
    reported, dead = int(seen.dead.iloc[-1]), len(history.dead)
    return "" if reported == dead else f"deadLetterCount was {reported:,} at the end, and {dead:,} are there"


def _still(history: History, since: int) -> bool:
    """Whether the queue was seen empty from then on, and nothing was sent: then no event can have died."""
    assert history.probes is not None
    queue = history.probes.queue[history.probes.time >= since]
    return len(queue) > 0 and bool((queue == 0).all()) and not (history.attempts.invoked_at >= since).any()


def _seconds(judged: pd.DataFrame) -> float:
    return float(judged.seconds[judged.false.astype(bool)].sum())


def _members(history: History, **judged: pd.DataFrame) -> dict[str, list[str]]:
    """The times, and what was shown."""
    return some(**{f"false_{name}": list(_lines(history, frame)) for name, frame in judged.items()})


def _lines(history: History, judged: pd.DataFrame) -> Iterator[str]:
    wrong = judged[judged.false.astype(bool)]
    yield from (f"{told(history, at)}: {shown}" for at, shown in zip(wrong.time.tolist(), wrong.shown, strict=True))
