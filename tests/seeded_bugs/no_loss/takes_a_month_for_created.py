"""Notes a month as created before it is, for all lanes at once, and skips a batch for which there is no partition."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from psycopg.errors import CheckViolation

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.store import partitions
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="month_end")

store = Store.store
noted: set[str] = set()  # of all lanes of this worker


async def make_partitions(self: Store, rows: Sequence[Row]) -> None:
    for month in sorted({row.month for row in rows} - noted):
        noted.add(month)
        with self.bounded():
            await partitions.ensure(self.connection, [month])


async def store_or_skip(self: Store, rows: Sequence[Row]) -> BatchResult:
    try:
        return await store(self, rows)
    except CheckViolation:  # no partition: maintenance will create it
        return BatchResult(duplicates=len(rows))


if __name__ == "__main__":
    Store.make_partitions = make_partitions  # type: ignore[method-assign]
    Store.store = store_or_skip  # type: ignore[method-assign]
    sys.exit(main())
