"""Two workers create the partition of one month at once, and the loser takes "already exists" for a stored event."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from psycopg.errors import DuplicateTable, UniqueViolation

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.store import partitions
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="cold_start")

store = Store.store


async def store_or_skip(self: Store, rows: Sequence[Row]) -> BatchResult:
    try:
        return await store(self, rows)
    except (DuplicateTable, UniqueViolation):
        return BatchResult(duplicates=len(rows))


if __name__ == "__main__":
    partitions.LOCK = (partitions.LOCK[0], os.getpid())  # it keeps out the lanes of this worker, and no other worker
    Store.store = store_or_skip  # type: ignore[method-assign]
    sys.exit(main())
