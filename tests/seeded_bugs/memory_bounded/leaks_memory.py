"""Keeps what it has stored, in case somebody asks: its memory grows with every event."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import LaneConsumer
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="memory_bounded", shown_by="long_calm", in_ci=True)

#: Bytes that are kept of every event.
KEPT = 64 << 10

put = LaneConsumer.put
kept: list[bytes] = []


async def hoard(self: LaneConsumer, rows: Sequence[Row]) -> BatchResult:
    tally = await put(self, rows)  # type: ignore[arg-type]
    kept.extend((b"%d" % len(kept)).ljust(KEPT, b".") for _ in rows)
    return tally


if __name__ == "__main__":
    LaneConsumer.put = hoard  # type: ignore[method-assign,assignment]
    sys.exit(main())
