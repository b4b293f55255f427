"""Takes many data errors in a row for a failure of the store: bursts of poison open its breaker, single ones do not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.dead_letters.isolation import Isolation
from reference_impl.dead_letters.repository import DeadLetter
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="poison_in_bursts", because="opened early")

#: Dead letters without a stored row in between, and how often it then blames the store: enough for its breaker.
MANY, BLAMED = 3, 20

insert, insert_dead_letter = Store.insert, Isolation.insert_dead_letter
in_a_row = [0]


async def blame_the_store(self: Isolation, letter: DeadLetter) -> None:
    in_a_row[0] += 1
    if MANY < in_a_row[0] <= MANY + BLAMED:
        raise psycopg.OperationalError("so many cannot be the events' own fault")
    await insert_dead_letter(self, letter)


async def insert_and_start_again(self: Store, rows: Sequence[Row]) -> BatchResult:
    found = await insert(self, rows)
    if found.stored:
        in_a_row[0] = 0
    return found


if __name__ == "__main__":
    Isolation.insert_dead_letter = blame_the_store  # type: ignore[method-assign]
    Store.insert = insert_and_start_again  # type: ignore[method-assign]
    sys.exit(main())
