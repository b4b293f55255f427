"""Remembers its worst moment for life: the score never rises again."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.operations import health
from reference_impl.operations.health import HealthSnapshot
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="health_honest", shown_by="outage", shipped="postgres_outage")

score = health.score
worst = [100]


def bitter(snapshot: HealthSnapshot, stall_s: float) -> int:
    if snapshot.workers:  # not what it said before anybody was there
        worst[0] = min(worst[0], score(snapshot, stall_s))
    return min(worst[0], score(snapshot, stall_s))


if __name__ == "__main__":
    health.score = bitter
    sys.exit(main())
