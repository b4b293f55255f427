"""Acknowledged in time, and stored in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable import plural
from shaketable.checks.check import Budget, Finding, Verdict
from shaketable.checks.kinds import losses
from shaketable.checks.kinds.findings import members, misses, unseen
from shaketable.checks.kinds.given import given
from shaketable.checks.kinds.spans import Span, catching_up, observed_at
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER, Ints
from shaketable.evidence.history.lateness import lost_by_harness
from shaketable.evidence.history.unreached import longer_s

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History

#: The quantiles that are reported with the verdict.
QUANTILES = (0.5, 0.99)


@dataclass(frozen=True)
class LatencyBudget:
    """Events are acknowledged, and stored, within so many seconds of the time at which they were meant to be sent.

    Time that the harness lost before the first attempt is subtracted; waiting for a free user or for an answer is not.
    acknowledged_late: well-formed events whose first acknowledgement came later than `acknowledged_within_s`, or never.
    stored_late: of those acknowledged, neither dead-lettered nor lost (`no_loss` counts those), not stored within
    `stored_within_s` (freshness, end to end: the commit counts). Of each, at least the share `acknowledged_share`,
    `stored_share` must be in time; a budget of None is not asked. Not asked of events that were due while the budget
    cannot hold: intake, while a fault that blocks it is active; freshness, while one that blocks store or intake is;
    both from one budget before it, and on until the backlog is gone, at most the scenario's drain. Every other fault
    must leave the budgets kept.

    Evidence: schedule and journals, commit times. An event that was never sent is not judged, nor one that was due less
    than a budget before the run stopped watching. Stored rows without commit times, or fewer than `least_judged` events
    in time: unknown. So is freshness that is late after a fault where a setting of the scenario did not reach the
    target, whose own bound is longer, unless the budget is the user's own.

    Does not prove: latency at a higher rate than the scenario's.
    """

    acknowledged_within_s: float | None = 1.0
    acknowledged_share: float = 0.99
    stored_within_s: float | None = 5.0
    stored_share: float = 0.99
    least_judged: int = 20
    name: ClassVar[str] = "latency_budget"
    by_the_clock: ClassVar[bool] = True
    of_work: ClassVar[bool] = True
    held: ClassVar[str] = "latency stayed within its budget"
    budgets: ClassVar[Mapping[str, Budget]] = {
        "intake_p99_ms": Budget(
            ("acknowledged_within_s",),
            per=1000,
            implied={"acknowledged_share": 0.99},
            means="99 of 100 events are acknowledged within so long of their intended time",
        ),
        "freshness_p99_s": Budget(
            ("stored_within_s",),
            implied={"stored_share": 0.99},
            means="99 of 100 events are stored within so long of their intended time",
        ),
    }

    def judge(self, history: History) -> Finding:
        if (finding := unseen(history)) is not None:
            return finding
        asked = [part for part in (self._intake(history), self._freshness(history)) if part is not None]
        found = {name: value for part in asked for name, value in part.counts.items()}
        shown = members(history, **{f"{part.name}_late": part.late for part in asked})
        if breaches := [part for part in asked if part.why]:
            why = "; ".join(part.why for part in breaches)
            if breaches == [part for part in asked if part.name == "stored"] and (unfit := self._unfit(history)):
                return Finding(Verdict.UNKNOWN, found, shown, f"{why}; but {unfit}")
            return Finding(Verdict.FAILED, found, shown, why)
        if self.stored_within_s is not None and _untimed(history).any():
            return Finding(Verdict.UNKNOWN, found, {}, "rows are stored whose commit time is not known")
        if not asked or any(not part.judged.any() for part in asked):
            return Finding(Verdict.UNKNOWN, found, {}, "no event was due while the budget could be held to")
        if few := [part for part in asked if part.judged.sum() < self.least_judged]:
            judged = plural.counted(int(few[0].judged.sum()), "events were")
            why = f"{judged} due while the budget could be held to: a share needs {self.least_judged}"
            return Finding(Verdict.UNKNOWN, found, {}, why)
        return Finding(Verdict.PASSED, found, shown)

    def _intake(self, history: History) -> _Part | None:
        """From the intended time to the first acknowledgement."""
        assert history.events is not None
        if self.acknowledged_within_s is None:
            return None
        asked = (history.events.expect == "accept").to_numpy() & ~history.events.unsent.to_numpy()
        came, spans = history.events.first_acknowledged.to_numpy(), _blocked(history, store=False)
        return _part(history, "acknowledged", self.acknowledged_within_s, self.acknowledged_share, asked, came, spans)

    def _freshness(self, history: History) -> _Part | None:
        """From the intended time to the commit. Rows without a commit time were stored at an unknown time."""
        assert history.events is not None
        if self.stored_within_s is None:
            return None
        dead = history.dead_letters_of > 0 if history.dead is not None else np.zeros(len(history.events), dtype=bool)
        asked = losses.acknowledged(history) & ~dead & ~losses.lost(history) & ~_untimed(history)
        spans = _blocked(history, store=True)
        return _part(history, "stored", self.stored_within_s, self.stored_share, asked, history.committed, spans)

    def _unfit(self, history: History) -> str:
        """Why the scenario's freshness after a fault says nothing about this target; "" when it does."""
        if not history.faults or "stored_within_s" in given(self, history):
            return ""
        own = [f"{name} of {history.target.name} is {s:g} s longer" for name, s in longer_s(history).items()]
        return f"settings did not reach the target: {', '.join(own)}" if own else ""


@dataclass(frozen=True, eq=False)
class _Part:
    """One of the two budgets, and how long each event took (ns; far too long for one that never arrived)."""

    name: str
    within_s: float
    share: float
    judged: Flags
    took: Ints

    @property
    def late(self) -> Flags:
        """Those that missed it."""
        return np.asarray(self.judged & (self.took > self.within_s * SECOND))

    @property
    def why(self) -> str:
        """The breach of the law; "" for none."""
        judged, late = int(self.judged.sum()), int(self.late.sum())
        if not misses(late, judged, self.share):
            return ""
        of = plural.counted(judged, "events were")
        return f"{late} of {of} not {self.name} within {self.within_s:g} s (at least {self.share:.1%})"

    @property
    def counts(self) -> dict[str, int | float]:
        """How many, and how long it took those for which it came at all."""
        took = self.took[self.judged & (self.took < NEVER // 2)] / SECOND
        told = {
            f"{self.name}_p{share * 100:g}_s": round(float(np.quantile(took, share)), 3)
            for share in QUANTILES
            if len(took)
        }
        return {f"{self.name}_judged": int(self.judged.sum()), f"{self.name}_late": int(self.late.sum()), **told}


def _part(
    history: History, name: str, within_s: float, share: float, asked: Flags, came: Ints, spans: list[Span]
) -> _Part:
    """The events that were due while the budget must hold, early enough for a breach to show."""
    assert history.events is not None
    due, within = history.events.due.to_numpy(), int(within_s * SECOND)
    judged = asked & ((came != NEVER) | (due + within <= observed_at(history)))
    for span in spans:
        judged = judged & ((due < span.begin - within) | (due >= span.end))
    return _Part(name, within_s, share, judged, came - due - lost_by_harness(history))


def _blocked(history: History, store: bool) -> list[Span]:
    """While a fault stops all events, and until the held-back events are through."""
    faults = [f for f in history.faults if f.began != NEVER and (f.blocks_intake or (store and f.blocks_store))]
    return [catching_up(history, Span(fault.began, fault.healed), history.scenario.drain_s) for fault in faults]


def _untimed(history: History) -> Flags:
    """Stored, but nobody knows when."""
    return np.asarray((history.rows_of > 0) & (history.committed == NEVER))
