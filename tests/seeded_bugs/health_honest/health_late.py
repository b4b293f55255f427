"""Looks at the world once a minute, so its health score is minutes late."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.operations import health
from reference_impl.operations.health import HealthMonitor
from tests.seeded_bugs.bug import Bug

BUG = Bug(
    caught_by="health_honest", shown_by="outage", shipped="postgres_outage", because="while nothing could be stored"
)

#: Seconds between two looks, once there is something to be seen.
LOOK_S = 60.0

poll = HealthMonitor.poll


async def seldom(self: HealthMonitor) -> None:
    await poll(self)
    if self.snapshot.queue_answers and self.snapshot.workers:
        health.POLL_S = LOOK_S


if __name__ == "__main__":
    HealthMonitor.poll = seldom  # type: ignore[method-assign]
    sys.exit(main())
