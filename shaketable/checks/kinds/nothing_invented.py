"""Nothing is stored that was not sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shaketable import plural
from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds.adapted import not_adapted
from shaketable.checks.kinds.findings import counts, members, some, unknown, unseen

if TYPE_CHECKING:
    from shaketable.evidence.history import History


@dataclass(frozen=True)
class NothingInvented:
    """Nothing is stored or dead-lettered that was never sent, or whose every attempt was refused.

    foreign: its id is in no schedule. unsent: planned, but no attempt was ever begun. refused: every attempt was
    answered with a definite refusal, or could not connect. adapted: stored under an id of no schedule, with the content
    of a malformed event that was not refused; the target gave it an id, and `refuses_rightly` counts it as accepted.

    Evidence: schedule, journals (an intent is written before its attempt, so a killed client leaves none out), stored
    rows, dead letters. Nothing stored or dead at all: unknown.

    Does not prove: that contents are right (`content_intact`), or that indeterminate attempts were not accepted.
    """

    name: ClassVar[str] = "nothing_invented"
    held: ClassVar[str] = "none was invented"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (
        Anomaly("foreign", "of an unknown id", "#cf5ba0", rank=50),
        Anomaly("unsent", "invented", "#b54fc4", rank=60),
        Anomaly("refused", "kept although refused", "#e0699a", rank=70),
    )
    columns: ClassVar[tuple[Column, ...]] = (
        Column(
            "invented",
            "kept although nobody sent it, or although every attempt was refused",
            ("foreign", "unsent", "refused"),
            rank=60,
        ),
    )

    def judge(self, history: History) -> Finding:
        if (finding := unseen(history)) is not None:
            return finding
        assert history.events is not None
        assert history.stored is not None
        kept = history.rows_of > 0
        if history.dead is not None:
            kept = kept | (history.dead_letters_of > 0)
        foreign, adapted = not_adapted(history)
        if not kept.any() and not foreign and not adapted:
            return unknown("nothing was stored, so nothing could be invented")
        outcome = history.events.outcome
        refused, never = kept & (outcome == "refused").to_numpy(), kept & (outcome == "unsent").to_numpy()
        found = counts(kept=kept, foreign=foreign, unsent=never, refused=refused, adapted=adapted)
        invented = len(foreign) + int(never.sum()) + int(refused.sum())
        if not invented:
            return Finding(Verdict.PASSED, found)
        shown = members(history, unsent=never, refused=refused) | some(foreign=foreign)
        why = plural.counted(invented, "events are kept that nobody sent, or whose every attempt was refused")
        return Finding(Verdict.FAILED, found, shown, why)
