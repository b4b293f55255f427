"""Refuses for now and does not say when to come back, although it promises Retry-After."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.ingest import app
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="status_honest", shown_by="queue_cut_off", shipped="enqueue_replies_lost", because="Retry-After")

if __name__ == "__main__":
    app.HEADERS.pop(503)
    sys.exit(main())
