"""Takes an event that collides at every try for a failure of the store, so that it opens the breaker of all lanes."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.store.writer import Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="few_collisions", because="opened early")


async def never(self: Store) -> bool:
    return False


if __name__ == "__main__":
    Store.takes_a_batch = never  # type: ignore[method-assign]
    sys.exit(main())
