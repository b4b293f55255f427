"""Refuses events while a breaker is open, although the queue would have kept them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.errors import TemporarilyUnavailable
from reference_impl.ingest.intake import Intake
from reference_impl.operations.health import worst_state
from reference_impl.resilience.circuit_breaker import CLOSED
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="intake_survives", shown_by="outage", shipped="postgres_outage", in_ci=True)

require_ready = Intake.require_ready


def anxious(self: Intake) -> None:
    if worst_state(self.monitor.snapshot) != CLOSED:
        raise TemporarilyUnavailable("the store is unavailable")
    require_ready(self)


if __name__ == "__main__":
    Intake.require_ready = anxious  # type: ignore[method-assign]
    sys.exit(main())
