"""Its counters start at 0 again whenever its breaker has been open, although the process lives on."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.operations import metrics
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="status_honest", shown_by="outage", shipped="postgres_outage", because="went back")

wait_while_open = LaneAssignment.wait_while_open


async def start_again(self: LaneAssignment) -> None:
    for counter in (metrics.STORED, metrics.REPEATED, metrics.DEAD):
        counter.reset()
    await wait_while_open(self)


if __name__ == "__main__":
    LaneAssignment.wait_while_open = start_again  # type: ignore[method-assign]
    sys.exit(main())
