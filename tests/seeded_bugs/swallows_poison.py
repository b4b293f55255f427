"""Drops what the store will never take, without a dead letter."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

from reference_impl.__main__ import main
from reference_impl.dead_letters.isolation import Isolation
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="dead_letters_explained", shown_by="few_poison", in_ci=True)


async def forget(self: Isolation, alone: int) -> None:
    self._tally.dead += 1


if __name__ == "__main__":
    Isolation._judge = forget  # type: ignore[method-assign]
    sys.exit(main())
