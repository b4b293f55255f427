"""Counts no failure, so its breaker stays closed whatever happens."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.resilience.circuit_breaker import Breaker, Permit
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="outage", shipped="postgres_outage", because="opened late")


def patient(self: Breaker, permit: Permit, why: str) -> None:
    self.release(permit)


if __name__ == "__main__":
    Breaker.failed = patient  # type: ignore[method-assign]
    sys.exit(main())
