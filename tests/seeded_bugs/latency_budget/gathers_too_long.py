"""Waits for large batches: what it has acknowledged is stored much later."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.queue.streams import Entry
from tests.seeded_bugs.bug import Bug

BUG = Bug(
    caught_by="latency_budget", shown_by="hundred_events", shipped="calm", because="not stored within 5 s", in_ci=True
)

#: Seconds between two batches of a lane.
LINGER_S = 6.5

linger = LaneConsumer.linger


def patient(self: LaneConsumer, entries: list[Entry]) -> float:
    return linger(self, entries) + LINGER_S


if __name__ == "__main__":
    LaneConsumer.linger = patient  # type: ignore[method-assign]
    sys.exit(main())
