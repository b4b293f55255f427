"""Takes what the store says of an event for a failure of the store, so that poison opens its breaker."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.errors import Failure
from reference_impl.resilience import error_classes
from reference_impl.settings import Settings
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="few_poison", shipped="poison", because="opened early")

classify = error_classes.classify


def blame_the_store(error: psycopg.Error, settings: Settings = error_classes.DEFAULTS) -> Failure:
    failure = classify(error, settings)
    return Failure.UNAVAILABLE if failure is Failure.DATA else failure


if __name__ == "__main__":
    error_classes.classify = blame_the_store
    sys.exit(main())
