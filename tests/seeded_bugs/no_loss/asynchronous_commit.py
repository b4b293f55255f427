"""Trades durability for speed: a commit is answered before it is on disk, and a crash of the store takes it back."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.settings import Settings
from reference_impl.store import connections
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="store_crashes")

options = connections.options


def hasty(settings: Settings) -> str:
    return f"{options(settings)} -c synchronous_commit=off"


if __name__ == "__main__":
    connections.options = hasty
    sys.exit(main())
