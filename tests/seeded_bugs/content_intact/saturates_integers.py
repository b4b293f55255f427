"""Keeps integers in 64 bits: a larger one becomes the largest that fits, as a cast in many languages makes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event import i_json
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="content_intact", shown_by="short_calm", shipped="calm")

#: The largest that fits.
MOST = 2**63 - 1

members = i_json.members


def cast(body: bytes, max_depth: int) -> dict[str, Any]:
    read = members(body, max_depth)
    return {name: max(-MOST, min(MOST, v)) if type(v) is int else v for name, v in read.items()}


if __name__ == "__main__":
    i_json.members = cast
    sys.exit(main())
