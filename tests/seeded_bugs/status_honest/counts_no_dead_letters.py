"""Counts no dead letters in its status, however many there are."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.operations import health
from reference_impl.operations.health import HealthSnapshot, Status
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="status_honest", shown_by="few_poison", shipped="poison", because="deadLetterCount")

status = health.status


def none(snapshot: HealthSnapshot, stall_s: float) -> Status:
    return msgspec.structs.replace(status(snapshot, stall_s), dead_letter_count=0)


if __name__ == "__main__":
    health.status = none
    sys.exit(main())
