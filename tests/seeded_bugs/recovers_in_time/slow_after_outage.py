"""Once its breaker has opened, every batch waits: it stays slow after all is healed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import Batch, LaneConsumer
from reference_impl.resilience.circuit_breaker import CLOSED, Breaker
from reference_impl.store.writer import BatchResult
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="recovers_in_time", shown_by="outage", because="backlog", in_ci=True)

#: Seconds that each batch waits.
WAIT_S = 1.0

put, state_change = LaneConsumer.put, Breaker.state_change
opened: list[str] = []


def remember(self: Breaker, cb: Any, old_state: Any, new_state: Any) -> None:
    state_change(self, cb, old_state, new_state)
    if self.state != CLOSED:
        opened.append(self.state)


async def cautious(self: LaneConsumer, batch: Batch) -> BatchResult:
    if opened:
        await asyncio.sleep(WAIT_S)
    return await put(self, batch)


if __name__ == "__main__":
    Breaker.state_change = remember  # type: ignore[method-assign]
    LaneConsumer.put = cautious  # type: ignore[method-assign]
    sys.exit(main())
