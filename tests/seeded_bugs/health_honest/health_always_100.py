"""Says that it is well, always."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.operations import health
from reference_impl.operations.health import HealthSnapshot
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="health_honest", shown_by="outage", shipped="postgres_outage", in_ci=True)


def well(snapshot: HealthSnapshot, stall_s: float) -> int:
    return 100


if __name__ == "__main__":
    health.score = well
    sys.exit(main())
