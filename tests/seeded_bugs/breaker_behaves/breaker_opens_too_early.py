"""Opens after two failures, whatever threshold it was given."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.resilience.background import Sleep
from reference_impl.resilience.circuit_breaker import Breaker, Listener
from reference_impl.settings import Settings
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="below_threshold", because="opened early", in_ci=True)

init = Breaker.__init__


def nervous(self: Breaker, settings: Settings, listener: Listener, sleep: Sleep) -> None:
    init(self, msgspec.structs.replace(settings, breaker_failure_threshold=2), listener, sleep)


if __name__ == "__main__":
    Breaker.__init__ = nervous  # type: ignore[method-assign,assignment]
    sys.exit(main())
