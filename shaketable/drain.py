"""Drain: wait until every acknowledged event is kept, and nothing has changed for a while.

The while is min(lease_s, 10 s) since the last heal: as long as a dead or frozen worker may hold work, it may still
store what somebody else stored meanwhile, and a run that looks away too early would miss the duplicate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shaketable.backlog import Backlog, Counts
from shaketable.clock import SECOND, Clock

#: Seconds of quiet that are enough whatever the lease.
QUIET_S = 10.0
#: Seconds between two looks.
LOOK_S = 0.25


@dataclass(frozen=True)
class Drained:
    """How the drain ended."""

    complete: bool  # every acknowledged event is kept
    quiet: bool  # and nothing changed for as long as a lease
    missing: int  # acknowledged events that are neither stored nor dead


class Drain:
    """`kept` gives the ids that are stored or dead; `acknowledged` those that must be."""

    def __init__(
        self, backlog: Backlog, kept: Callable[[], set[str]], acknowledged: set[str], lease_s: float, clock: Clock
    ) -> None:
        self._backlog, self._kept, self._acknowledged, self._clock = backlog, kept, acknowledged, clock
        self._quiet_ns = int(min(lease_s, QUIET_S) * SECOND)
        self._last: Counts | None = None

    def wait(self, healed_at: int, budget_s: float, tick: Callable[[Counts], None]) -> Drained:
        """Look until done or the budget is spent; `tick` sees every look. Times are monotonic ns and seconds."""
        deadline, changed = self._clock.now() + int(budget_s * SECOND), max(healed_at, self._clock.now())
        while self._clock.now() < deadline:
            counts = self._backlog.counts()
            if counts != self._last:
                self._last, changed = counts, self._clock.now()
            if self._clock.now() - max(changed, healed_at) >= self._quiet_ns and not (missing := self._missing(counts)):
                return Drained(True, True, missing)
            tick(counts)
            self._clock.sleep(LOOK_S)
        missing = len(self._acknowledged - self._kept())
        return Drained(missing == 0, False, missing)

    def _missing(self, counts: Counts) -> int:
        """Read the ids only where the counts allow that all is kept: reading them is the dear part."""
        if None in (counts.stored, counts.dead) or counts.queue:
            return max(1, len(self._acknowledged) - (counts.stored or 0))
        return len(self._acknowledged - self._kept())
