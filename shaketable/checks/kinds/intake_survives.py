"""The intake goes on while the store is unavailable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable.checks.check import Finding, Verdict
from shaketable.checks.kinds.findings import counts, members, misses, not_applicable, unknown
from shaketable.checks.kinds.spans import Span, store_outages
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER, Ints

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History


@dataclass(frozen=True)
class IntakeSurvives:
    """While only the store is unavailable, the intake acknowledges events.

    sent: well-formed events whose first attempt began while a store-blocking fault was in effect and none that blocks
    the intake was, and early enough to be answered before the healing. unserved: not acknowledged within `answer_s`
    seconds of that attempt. At least the share `share` of those sent must be served.

    Evidence: journals; the faults' times. No such fault, or nothing sent meanwhile: unknown. A target whose queue is in
    the store cannot accept without it: not applicable.

    Does not prove: that the intake survives the queue's own absence.
    """

    share: float = 0.99
    answer_s: float = 2.0
    name: ClassVar[str] = "intake_survives"
    by_the_clock: ClassVar[bool] = True
    of_work: ClassVar[bool] = True
    held: ClassVar[str] = "intake went on all the while"

    def judge(self, history: History) -> Finding:
        if history.events is None:
            return unknown("schedule.jsonl is missing: nobody knows what was meant to be sent")
        if history.target.queues_in_store:
            return not_applicable(f"the queue is in the store ({history.target.store}), so the intake needs it")
        began = history.events.first_invoked.to_numpy()
        sent = self._while_away(history, began) & (history.events.expect == "accept").to_numpy()
        if not sent.any():
            return unknown("no event was sent while only the store was unavailable")
        took = history.events.first_acknowledged.to_numpy() - began  # without an acknowledgement: far too long
        unserved = sent & (took > int(self.answer_s * SECOND))
        found = counts(sent=sent, unserved=unserved, share=1 - unserved.sum() / sent.sum())
        if not misses(int(unserved.sum()), int(sent.sum()), self.share):
            return Finding(Verdict.PASSED, found)
        many = f"{found['unserved']:,} of {found['sent']:,} sent in outages of the store"
        why = f"not acknowledged within {self.answer_s:g} s: {many} (at least {self.share:.1%} must be)"
        return Finding(Verdict.FAILED, found, members(history, unserved=unserved), why)

    def _while_away(self, history: History, began: Ints) -> Flags:
        inside = np.zeros(len(began), dtype=bool)
        for begin, end in store_outages(history):
            inside |= (began >= begin) & (began < end - int(self.answer_s * SECOND))
        for begin, end in _intake_blocked(history):
            inside &= (began < begin) | (began >= end)
        return inside


def _intake_blocked(history: History) -> list[Span]:
    return [Span(f.began, f.healed) for f in history.faults if f.blocks_intake and f.began != NEVER]
