"""Drain: wait until every acknowledged event is stored, and nothing has changed for a while.

After faults the while is the target's lease since the last heal: as long as a dead or frozen worker may hold work,
another may receive it again and store it a second time, and a run that looks away too early would miss the duplicate.
A lease above LONGEST_LEASE_S is not waited for: `Patience.too_short` says so. Without faults QUIET_S are enough.

Events that are missing while the queue is empty and nothing has changed for LOST times that while do not come any more:
the drain ends then, so that a failing run does not take longer than a passing one.

A target that has not recovered yet (a breaker is open, its health is low) is watched until its own recovery is due:
whoever looks away earlier cannot know whether it recovers in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shaketable.clock import SECOND, Clock
from shaketable.evidence.backlog import Backlog, Counts

#: Seconds of quiet that are enough where no worker can have died or been frozen.
QUIET_S = 10.0
#: How many times `quiet_s` nothing must have changed before missing events are given up.
LOST = 1.5
#: Seconds of the longest lease that a drain waits for.
LONGEST_LEASE_S = 120.0
#: Seconds between two looks.
LOOK_S = 0.25


@dataclass(frozen=True)
class Drained:
    """How the drain ended."""

    complete: bool  # every acknowledged event is stored
    quiet: bool  # nothing changed for as long as a lease
    missing: int  # acknowledged events that are neither stored nor dead


@dataclass(frozen=True)
class Patience:
    """How long a drain looks on; in seconds."""

    budget_s: float  # since its beginning
    after_heal_s: float  # and at least so long since the last heal
    quiet_s: float
    too_short: bool = False  # work may come back later than this
    recovery_s: float = 0.0  # since the last heal: at most so long it waits until the target has recovered

    @classmethod
    def of(cls, budget_s: float, lease_s: float, faults: bool) -> Patience:
        """For a scenario's budget and the target's lease."""
        if not faults or lease_s > LONGEST_LEASE_S:
            return cls(budget_s, 0.0, min(lease_s, QUIET_S), too_short=faults)
        return cls(budget_s, lease_s + QUIET_S, lease_s)


class Drain:
    """`kept` gives the ids that are stored or dead; `acknowledged` those that must be; `well`: it has recovered."""

    def __init__(
        self,
        backlog: Backlog,
        kept: Callable[[], set[str]],
        acknowledged: set[str],
        patience: Patience,
        clock: Clock,
        well: Callable[[], bool] = lambda: True,
    ) -> None:
        self._backlog, self._kept, self._acknowledged, self._clock = backlog, kept, acknowledged, clock
        self._patience, self._well = patience, well
        self._last: Counts | None = None
        self._read: tuple[Counts, int] | None = None  # at these counts so many were missing

    def wait(self, healed_at: int, tick: Callable[[Counts], None]) -> Drained:
        """Look until done or the budget is spent; `tick` sees every look. `healed_at` is in monotonic ns."""
        drained = self._wait(healed_at, tick)
        until = healed_at + int(self._patience.recovery_s * SECOND)
        while not self._well() and self._clock.now() < until:
            tick(self._backlog.counts())
            self._clock.sleep(LOOK_S)
        return drained

    def _wait(self, healed_at: int, tick: Callable[[Counts], None]) -> Drained:
        patience, changed = self._patience, max(healed_at, self._clock.now())
        quiet_ns = int(patience.quiet_s * SECOND)
        deadline = self._clock.now() + int(patience.budget_s * SECOND)
        deadline = max(deadline, healed_at + int(patience.after_heal_s * SECOND))
        while self._clock.now() < deadline:
            counts = self._backlog.counts()
            if counts != self._last:
                self._last, changed = counts, self._clock.now()
            idle_ns = self._clock.now() - max(changed, healed_at)
            if idle_ns >= quiet_ns and not self._missing(counts):
                return Drained(True, True, 0)
            if idle_ns >= LOST * quiet_ns and self._nothing_comes(counts):
                return self._given_up()
            tick(counts)
            self._clock.sleep(LOOK_S)
        missing = len(self._acknowledged - self._kept())
        return Drained(missing == 0, False, missing)

    def _nothing_comes(self, counts: Counts) -> bool:
        """Whether every count is known, the queue is empty, and no work can come back after the drain."""
        return counts.queue == 0 and None not in counts and not self._patience.too_short

    def _given_up(self) -> Drained:
        missing = len(self._acknowledged - self._kept())
        return Drained(missing == 0, True, missing)

    def _missing(self, counts: Counts) -> int:
        """Read the ids only if the counts allow that all are stored, and once for the same counts: it is expensive."""
        if None in (counts.stored, counts.dead) or counts.queue:
            return max(1, len(self._acknowledged) - (counts.stored or 0))
        if self._read is None or self._read[0] != counts:
            self._read = counts, len(self._acknowledged - self._kept())
        return self._read[1]
