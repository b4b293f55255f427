"""Compares ids as texts, so that an id in upper case is another event than the same id in lower case."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event import event
from reference_impl.store import writer
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_duplicates", shown_by="short_calm", shipped="calm")

ONLY_NEW = "fresh join won using (event_id)"
store, lower = Store.store, event._id
STORED: set[str] = set()


def as_sent(sent: str | None) -> str:
    found = lower(sent)
    return found if sent is None else sent


async def store_new_texts(self: Store, rows: Sequence[Row]) -> BatchResult:
    new = list({row.event_id: row for row in reversed(rows) if row.event_id not in STORED}.values())[::-1]
    found = await store(self, new) if new else BatchResult()
    STORED.update(row.event_id for row in new)
    found.duplicates += len(rows) - len(new)
    return found


if __name__ == "__main__":
    assert ONLY_NEW in writer.INSERT
    writer.INSERT = writer.INSERT.replace(ONLY_NEW, "fresh")
    event._id = as_sent
    Store.store = store_new_texts  # type: ignore[method-assign]
    sys.exit(main())
