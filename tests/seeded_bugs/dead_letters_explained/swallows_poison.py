"""Drops what the store will never take, without a dead letter."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.dead_letters.isolation import Isolation
from reference_impl.dead_letters.repository import DeadLetter
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="dead_letters_explained", shown_by="few_poison", shipped="poison", in_ci=True)


async def forget(self: Isolation, letter: DeadLetter) -> None:
    self.result.dead += 1


if __name__ == "__main__":
    Isolation.insert_dead_letter = forget  # type: ignore[method-assign]
    sys.exit(main())
