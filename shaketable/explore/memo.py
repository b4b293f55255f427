"""The memo: how often each scenario was tried and what failed, so that shrinking plays none more than twice."""

from __future__ import annotations

from collections import defaultdict

from shaketable.explore.trial import Played, digest
from shaketable.runner.scenario import Scenario

#: How often a candidate is tried before it counts as passing: a race fails now and then.
MOST = 2


class Memo:
    """The outcomes of trials by digest."""

    def __init__(self) -> None:
        self._tried: dict[str, int] = defaultdict(int)
        self._failed: dict[str, set[str]] = defaultdict(set)

    def note(self, played: Played) -> None:
        """Remember a trial."""
        self._tried[digest(played.scenario)] += 1
        self._failed[digest(played.scenario)] |= set(played.failed)

    def failed(self, scenario: Scenario, check: str) -> bool:
        """Whether this scenario failed this check in any trial."""
        return check in self._failed[digest(scenario)]

    def left(self, scenario: Scenario) -> int:
        """How often it may still be tried."""
        return max(0, MOST - self._tried[digest(scenario)])
