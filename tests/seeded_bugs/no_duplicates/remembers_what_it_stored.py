"""Knows an event again by its own memory, not by the store's: a COMMIT whose reply was lost is stored twice."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.store import writer as store
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_duplicates", shown_by="commit_replies_lost")

ONLY_NEW = "fresh join won using (event_id)"
SOUND = Store.store
STORED: set[str] = set()


async def store_what_it_does_not_remember(self: Store, rows: Sequence[Row]) -> BatchResult:
    new = [row for row in rows if row.event_id not in STORED]
    tally = await SOUND(self, new) if new else BatchResult()
    STORED.update(row.event_id for row in new)
    tally.duplicates += len(rows) - len(new)
    return tally


if __name__ == "__main__":
    assert ONLY_NEW in store.INSERT
    store.INSERT = store.INSERT.replace(ONLY_NEW, "fresh")
    Store.store = store_what_it_does_not_remember  # type: ignore[method-assign]
    sys.exit(main())
