"""Stores whatever is delivered: a resent event is stored twice."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.store import writer
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_duplicates", shown_by="short_calm", shipped="calm", in_ci=True)

ONLY_NEW = "fresh join won using (event_id)"

if __name__ == "__main__":
    assert ONLY_NEW in writer.INSERT
    writer.INSERT = writer.INSERT.replace(ONLY_NEW, "fresh")
    sys.exit(main())
