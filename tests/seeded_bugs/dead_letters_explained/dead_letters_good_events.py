"""Buries the whole batch in which one event is poison."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.dead_letters import repository
from reference_impl.dead_letters.isolation import Isolation
from reference_impl.errors import Failure
from reference_impl.store.writer import BatchResult
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="dead_letters_explained", shown_by="few_poison", shipped="poison")


async def bury_all(self: Isolation) -> BatchResult:
    error = psycopg.DataError("the batch was refused")
    async with self.store.connection.transaction():
        for row in self.rows:
            await repository.insert(self.store.connection, self.dead_letter(row, Failure.DATA, error))
    return BatchResult(dead=len(self.rows))


if __name__ == "__main__":
    Isolation.run = bury_all  # type: ignore[method-assign]
    sys.exit(main())
