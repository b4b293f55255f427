"""Writes the neighbour of a poisonous event into its dead letter."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.dead_letters.isolation import Isolation
from reference_impl.dead_letters.repository import DeadLetter
from reference_impl.errors import Failure
from reference_impl.store.copy_row import Row
from tests.seeded_bugs.bug import Bug

BUG = Bug(
    caught_by="dead_letters_explained", shown_by="few_poison", shipped="poison", because="do not hold what was sent"
)

letter = Isolation.dead_letter


def off_by_one(self: Isolation, row: Row, failure: Failure, error: psycopg.Error) -> DeadLetter:
    right = letter(self, row, failure, error)
    event = self.rows[self.rows.index(row) - 1].event
    return DeadLetter(right.event_id, event, right.hash, right.cause, right.history, right.error)


if __name__ == "__main__":
    Isolation.dead_letter = off_by_one  # type: ignore[method-assign]
    sys.exit(main())
