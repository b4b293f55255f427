"""Says that its breaker is closed, always; the health score itself is right."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.operations import health
from reference_impl.operations.health import HealthSnapshot, Status
from tests.seeded_bugs.bug import Bug

BUG = Bug(
    caught_by="status_honest", shown_by="outage", shipped="postgres_outage", because="circuitBreakerState", in_ci=True
)

status = health.status


def closed(snapshot: HealthSnapshot, stall_s: float) -> Status:
    return msgspec.structs.replace(status(snapshot, stall_s), circuit_breaker_state="CLOSED")


if __name__ == "__main__":
    health.status = closed
    sys.exit(main())
