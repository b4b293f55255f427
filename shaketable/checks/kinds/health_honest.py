"""The health score is honest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable.checks.check import Finding, Verdict
from shaketable.checks.kinds.breaker_rules import closing_s
from shaketable.checks.kinds.findings import counts, not_applicable, some, unknown
from shaketable.checks.kinds.incarnation import HALF_OPEN, OPEN, incarnations
from shaketable.checks.kinds.spans import Span, observed_at, store_outages, told
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER

if TYPE_CHECKING:
    import pandas as pd

    from shaketable.evidence.history import History

#: Above this a score says: well.
WELL = 70


@dataclass(frozen=True)
class HealthHonest:
    """The health score is at most 70 while nothing can be stored, and above 70 while nothing is wrong.

    falsely_well_s: seconds above 70 while a store-blocking fault was in effect, work waited, and no commit had happened
    for open_within_s + health_grace_s. falsely_ill_s: seconds at or below 70 before the first fault, and from the last
    healing + health_grace_s and an empty backlog to the end of the run. Not judged: while the breaker of any process is
    legally OPEN or HALF_OPEN after the last healing (as long as `breaker_behaves` lets it). No answer counts as 0. Each
    may last as long as its budget: an answer may be slow for once. lag_s: from the store becoming unavailable to the
    first score of at most 70. Work waits while the queue is not empty, or while events are acknowledged and none is
    stored.

    Evidence: probes every 200 ms (the target's own answer), the faults' times, commit times, the queue read directly.
    No probes, a store-blocking fault that was too short or without work, or nothing at all to judge: unknown.

    Does not prove: that the score is right between 0 and 70, or while the store is only slow.
    """

    well_s: float = 0.5
    ill_s: float = 2.0
    name: ClassVar[str] = "health_honest"
    by_the_clock: ClassVar[bool] = True
    held: ClassVar[str] = "the health score told the truth"

    def judge(self, history: History) -> Finding:
        if not history.capabilities.health:
            return not_applicable("the target claims no health score (capabilities.health)")
        if history.probes is None or not len(history.probes):
            return unknown("probes.jsonl is missing or empty: nobody asked for the health")
        readings = _readings(history.probes)
        outages, well = [_judged_outage(history, span) for span in store_outages(history)], _undisturbed(history)
        ill_in_outages = [readings[_inside(readings, span)] for span in outages if span is not None]
        falsely_well = sum(float(part.seconds[part.score > WELL].sum()) for part in ill_in_outages)
        calm = [readings[_inside(readings, span)] for span in well]
        falsely_ill = sum(float(part.seconds[part.score <= WELL].sum()) for part in calm)
        found = counts(
            readings=len(readings),
            judged_away=sum(map(len, ill_in_outages)),
            judged_calm=sum(map(len, calm)),
            falsely_well_s=falsely_well,
            falsely_ill_s=falsely_ill,
            **_lag(history, readings),
        )
        why = self._why(falsely_well, falsely_ill)
        if why:
            return Finding(Verdict.FAILED, found, _members(history, ill_in_outages, calm), why)
        if None in outages or any(not len(part) for part in ill_in_outages):
            return Finding(
                Verdict.UNKNOWN, found, {}, "the store was unavailable, but too briefly, or without work, to judge it"
            )
        return (
            Finding(Verdict.PASSED, found) if ill_in_outages or sum(map(len, calm)) else unknown("no reading to judge")
        )

    def _why(self, falsely_well: float, falsely_ill: float) -> str:
        """The breach of the law, in a sentence; "" for none."""
        told_well = f"above {WELL} for {falsely_well:.1f} s while nothing could be stored"
        told_ill = f"at most {WELL} for {falsely_ill:.1f} s while nothing was wrong"
        return "; ".join([told_well] * (falsely_well > self.well_s) + [told_ill] * (falsely_ill > self.ill_s))


def expected(history: History) -> Iterator[tuple[Span, bool]]:
    """The honest score, span by span: True is above 70, False at most 70; between them, either."""
    if history.capabilities.health and history.probes is not None:
        yield from ((span, True) for span in _undisturbed(history) if span.seconds > 0)
        yield from ((span, False) for outage in store_outages(history) if (span := _judged_outage(history, outage)))


def _readings(probes: pd.DataFrame) -> pd.DataFrame:
    """Time, score (no answer: 0) and the seconds that each reading stands for: until the next one, at most one."""
    score = probes.health.where(probes.answered, 0).fillna(0)
    seconds = np.append(np.diff(probes.time), 0).clip(0, SECOND) / SECOND
    return probes[["time"]].assign(score=score, seconds=seconds)


def _inside(readings: pd.DataFrame, span: Span) -> pd.Series[bool]:
    return (readings.time >= span.begin) & (readings.time < span.end)


def _judged_outage(history: History, outage: Span) -> Span | None:
    """The part of an outage in which health must be bad: past all grace, the last commit, and only if work waited."""
    commits, timing = outage.of(history.commits), history.timing
    since = int(commits.max()) if len(commits) else outage.begin
    judged = Span(since + int((timing.open_within_s + timing.health_grace_s) * SECOND), outage.end)
    return judged if judged.seconds > 0 and _work(history, judged) else None


def _work(history: History, span: Span) -> bool:
    """The queue was not empty, or something was acknowledged: a target that burns its queue keeps it empty."""
    assert history.probes is not None
    queue = history.probes.queue[_inside(history.probes, span)].dropna()
    if len(queue) and bool((queue > 0).all()):
        return True
    return history.events is not None and len(span.of(history.events.first_acknowledged.to_numpy())) > 0


def _undisturbed(history: History) -> list[Span]:
    """Before the first fault, and from the last healing + grace and an empty backlog; before the run stops watching."""
    grace = int(history.timing.health_grace_s * SECOND)
    first = min((fault.began for fault in history.faults), default=NEVER)
    spans = [Span(history.phases.get("baseline", NEVER - grace) + grace, min(first, observed_at(history)))]
    if history.healed_at is not None:
        empty = history.empty_at[history.empty_at >= history.healed_at]
        after = [Span(max(history.healed_at, int(empty[0])) + grace, observed_at(history))] if len(empty) else []
        for paused in _legally_open(history, history.healed_at):
            after = [part for span in after for part in span.without(paused)]
        spans += after
    return spans


def _legally_open(history: History, healed: int) -> list[Span]:
    """While the breaker of any process may still be open after the last healing: then it is right to be ill.

    Other processes may store meanwhile: the state that a target reports is the worst of its workers'.
    """
    by = healed + int(closing_s(history.timing) * SECOND)
    spans = [span for life in incarnations(history) for state in (OPEN, HALF_OPEN) for span in life.spans(state)]
    return [Span(span.begin, min(span.end, by)) for span in spans if healed < span.end and span.begin < by]


def _lag(history: History, readings: pd.DataFrame) -> dict[str, float]:
    """Seconds from each outage to the first bad score in it: the longest."""
    lags = [
        (int(bad.iloc[0]) - outage.begin) / SECOND
        for outage in store_outages(history)
        if len(bad := readings.time[_inside(readings, outage) & (readings.score <= WELL)])
    ]
    return {"lag_s": max(lags)} if lags else {}


def _members(history: History, outages: list[pd.DataFrame], calm: list[pd.DataFrame]) -> dict[str, list[str]]:
    """The time and the score, in words."""
    wrong = {
        "falsely_well": [part[part.score > WELL] for part in outages],
        "falsely_ill": [part[part.score <= WELL] for part in calm],
    }
    return some(**{name: [line for part in parts for line in _lines(history, part)] for name, parts in wrong.items()})


def _lines(history: History, part: pd.DataFrame) -> list[str]:
    return [f"{told(history, time)}: {score:g}" for time, score in zip(part.time.tolist(), part.score, strict=True)]
