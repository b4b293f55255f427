"""A retry budget, which prevents retry storms against a failing target. Pure: time is an argument.

As in Finagle and in gRPC's retry throttling it is a token bucket; each retry costs one token. The bucket fills at the
rate of first attempts, so a target that is down sees at most twice that rate. Each settled event adds a share of a
token, which lets waiting events follow soon after the target's recovery.
"""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.clock import SECOND

#: Minimum tokens per second, independent of first attempts.
LEAST_PER_S = 10.0
#: Tokens per settled event; below 1, or successful retries would release ever more retries.
PER_SETTLED = 0.75
#: Capacity of the bucket: the largest burst of retries.
MOST = 100.0


@dataclass(slots=True)
class RetryBudget:
    """Counts from `start`, in monotonic nanoseconds."""

    start: int
    _tokens: float = MOST
    _firsts: int = 0
    _at: int = 0

    def first(self) -> None:
        """Count a first attempt."""
        self._firsts += 1

    def settled(self) -> None:
        """Count an event that was acknowledged or definitely refused."""
        self._tokens = min(self._tokens + PER_SETTLED, MOST)

    def take(self, now: int) -> bool:
        """Spend a token for a retry; False when none is left."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _fill(self, now: int) -> None:
        since, self._at = max(now - max(self._at, self.start), 0), max(now, self._at)
        per_s = max(LEAST_PER_S, self._firsts * SECOND / max(now - self.start, SECOND))
        self._tokens = min(self._tokens + per_s * since / SECOND, MOST)
