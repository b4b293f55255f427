"""Goes on taking events although the queue's server may evict them: when its memory is short, they are lost."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.queue import streams
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="no_loss", shown_by="redis_wrong_eviction_policy")

if __name__ == "__main__":
    streams.policy_may_evict = lambda _: False  # type: ignore[assignment]
    sys.exit(main())
