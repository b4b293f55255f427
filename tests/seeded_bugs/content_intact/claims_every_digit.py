"""Claims that it keeps every digit of a number, and reads each as a double."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from tests.seeded_bugs.bug import Bug

BUG = Bug(
    caught_by="content_intact",
    shown_by="short_calm",
    shipped="calm",
    because="digits beyond a double",
    claims=('numbers = "double"', 'numbers = "exact"'),
)

if __name__ == "__main__":
    sys.exit(main())
