"""Closes its breaker when the recovery time is over, without a trial."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.resilience.circuit_breaker import CLOSED, OPEN, Breaker
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="outage", shipped="postgres_outage", because="illegal")


def hopeful(self: Breaker) -> None:
    if self.state == OPEN:
        self.transition(CLOSED, "it will be back by now")


if __name__ == "__main__":
    Breaker.half_open = hopeful  # type: ignore[method-assign]
    sys.exit(main())
