"""Statistics of a load: counts of attempts and outcomes, and lateness."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

from shaketable import plural
from shaketable.clock import MS
from shaketable.op import Outcome, Scalar

#: Lateness in nanoseconds above which a first attempt counts as late.
LATE = 10 * MS


class LoadStats:
    """Counts attempts by outcome, and the lateness of first attempts that the harness caused."""

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.scheduled = self.sent = self.attempts = self.unsent = self.given_up = self.queued = self.deferred = 0
        self._lateness = array("q")

    def began(self, resend: str, lateness: int, queued: bool) -> None:
        """Count a sent attempt, its lateness in nanoseconds, and whether it waited for a free user."""
        self.attempts += 1
        if not resend:
            self.sent += 1
            self.queued += queued
            self._lateness.append(lateness)

    def counts(self) -> dict[str, Scalar]:
        """The details of the DONE op: counts of events and attempts, lateness in milliseconds."""
        late = sorted(self._lateness)
        return {
            "scheduled": self.scheduled,
            "sent": self.sent,
            "attempts": self.attempts,
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "unsent": self.unsent,
            "given_up": self.given_up,
            "queued": self.queued,
            "deferred": self.deferred,
            "late": sum(1 for each in late if each > LATE),
            **{f"p{share}_ms": quantile(late, share / 100) / MS for share in (50, 99)},
            "max_ms": quantile(late, 1) / MS,
        }

    def sentence(self) -> str:
        """A summary in one sentence."""
        now = self.counts()
        answers = ", ".join(f"{self.outcomes[outcome]} {outcome}" for outcome in Outcome)
        rest = f"{self.unsent} unsent, {self.given_up} given up, {self.deferred} retries put off"
        late = f"{now['late']} late by more than 10 ms (p99 {now['p99_ms']:.1f} ms)"
        sent = f"{plural.counted(self.sent, 'events')} in {plural.counted(self.attempts, 'attempts')}"
        return f"{sent}: {answers}; {rest}; {late}"


def quantile(ordered: Iterable[int], share: float) -> int:
    """The `share` quantile of sorted values (nearest rank, an actual value); 0 for an empty sequence."""
    values = list(ordered)
    return values[min(int(share * len(values)), len(values) - 1)] if values else 0
