"""Knows an event again by a memory that forgets after some seconds, as a key with an expiry in a cache."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.store import writer
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_duplicates", shown_by="short_calm", shipped="calm")

#: Seconds after which it forgets: longer than a resend at once or after 2 s takes.
MEMORY_S = 3.0

ONLY_NEW = "fresh join won using (event_id)"
store, seen = Store.store, dict[str, float]()


async def store_unless_fresh_in_memory(self: Store, rows: Sequence[Row]) -> BatchResult:
    oldest = time.monotonic() - MEMORY_S
    new = [row for row in rows if seen.get(row.event_id, 0.0) < oldest]
    found = await store(self, new) if new else BatchResult()
    seen.update({row.event_id: time.monotonic() for row in new})
    found.duplicates += len(rows) - len(new)
    return found


if __name__ == "__main__":
    assert ONLY_NEW in writer.INSERT
    writer.INSERT = writer.INSERT.replace(ONLY_NEW, "fresh")
    Store.store = store_unless_fresh_in_memory  # type: ignore[method-assign]
    sys.exit(main())
