"""Counts an event as stored at each attempt, before the commit: the sum of /metrics grows with every failure."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.consumer import Batch, LaneConsumer
from reference_impl.operations import metrics
from reference_impl.store.writer import BatchResult
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="status_honest", shown_by="outage", shipped="postgres_outage", because="stored was")

put, record, counter = LaneConsumer.put, LaneConsumer.record, metrics.STORED


async def put_counted(self: LaneConsumer, batch: Batch) -> BatchResult:
    counter.inc(len(batch) if isinstance(batch, list) else 0)
    return await put(self, batch)


def record_uncounted(self: LaneConsumer, result: BatchResult, took_s: float, age_s: float) -> None:
    before = counter._value.get()
    record(self, result, took_s, age_s)
    counter._value.set(before)


if __name__ == "__main__":
    LaneConsumer.put = put_counted  # type: ignore[method-assign]
    LaneConsumer.record = record_uncounted  # type: ignore[method-assign]
    sys.exit(main())
