"""Takes every trial for a failed one, so its breaker never closes again."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.resilience.circuit_breaker import HALF_OPEN, Breaker, Permit
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="outage", shipped="postgres_outage", because="never closed")

succeeded = Breaker.succeeded


def gloomy(self: Breaker, permit: Permit) -> None:
    if self.state == HALF_OPEN:
        self.failed(permit, "it will fail again")
    else:
        succeeded(self, permit)


if __name__ == "__main__":
    Breaker.succeeded = gloomy  # type: ignore[method-assign]
    sys.exit(main())
