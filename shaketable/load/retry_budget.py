"""A budget for retries, so that a target in trouble is not met with a storm of them. Pure: it is told the time.

As in Finagle and in gRPC's retry throttling: a bucket of tokens, one for each retry. It fills at the rate of first
attempts, so that a target that is down sees at most twice the rate; each answer that settles an event adds a share of
a token, so that what waited is sent soon once the target is back.
"""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.clock import SECOND

#: Tokens a second, however few first attempts there are.
LEAST_PER_S = 10.0
#: Tokens that a settled event adds; below 1, or retries that succeed would release ever more of them.
PER_SETTLED = 0.75
#: The most tokens that are kept: so many retries may come at once.
MOST = 100.0


@dataclass(slots=True)
class RetryBudget:
    """Counts from `start`, in monotonic nanoseconds."""

    start: int
    _tokens: float = MOST
    _firsts: int = 0
    _at: int = 0

    def first(self) -> None:
        """A first attempt is sent."""
        self._firsts += 1

    def settled(self) -> None:
        """An event is acknowledged or refused for good."""
        self._tokens = min(self._tokens + PER_SETTLED, MOST)

    def take(self, now: int) -> bool:
        """Whether a retry may be sent now; it is counted."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _fill(self, now: int) -> None:
        since, self._at = max(now - max(self._at, self.start), 0), max(now, self._at)
        per_s = max(LEAST_PER_S, self._firsts * SECOND / max(now - self.start, SECOND))
        self._tokens = min(self._tokens + per_s * since / SECOND, MOST)
