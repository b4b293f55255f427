"""What an error of the store means: one table of exact SQLSTATEs and classes (the first two characters)."""

from __future__ import annotations

import psycopg

from reference_impl.errors import Failure, StoreError

#: Our own timers, and a waiter's eviction of a holder they cannot reach.
LANE_LOST = frozenset({"25P03", "25P04", "57P05"})
#: Serialization failure, deadlock, lock time-out, statement time-out; a table that somebody made meanwhile.
RETRY = frozenset({"40001", "40P01", "55P03", "57014", "42P07"})
AWAY = frozenset({"57P01", "57P02", "57P03", "57P04", "25006", "42501", "42P01"})
AWAY_CLASSES = frozenset({"08", "53"})
#: Integrity of the value itself.
DATA = frozenset({"23502"})
#: Data exceptions, and limits of the program that one event alone runs into.
DATA_CLASSES = frozenset({"22", "54"})
CHECK_VIOLATION, UNIQUE_VIOLATION = "23514", "23505"


def classify(error: psycopg.Error) -> Failure:
    """The row of the table that this error falls in."""
    code = error.sqlstate
    if code is None:  # connection errors carry none
        return Failure.AWAY if isinstance(error, psycopg.OperationalError) else Failure.UNKNOWN
    if code in LANE_LOST:
        return Failure.LANE_LOST
    if code in RETRY:
        return Failure.RETRY
    if code in AWAY or code[:2] in AWAY_CLASSES:
        return Failure.AWAY
    if code in DATA or code[:2] in DATA_CLASSES:
        return Failure.DATA
    if code == CHECK_VIOLATION:
        return Failure.RETRY if missing_partition(error) else Failure.DATA
    if code == UNIQUE_VIOLATION:
        return Failure.RETRY if _racing_create(error) else Failure.DATA
    return Failure.UNKNOWN


def missing_partition(error: psycopg.Error) -> bool:
    """A row without a partition is a check violation too, but of no constraint that has a name."""
    return error.sqlstate == CHECK_VIOLATION and not error.diag.constraint_name


def _racing_create(error: psycopg.Error) -> bool:
    """Two CREATEs of one name collide in the catalogue's own unique indexes."""
    return (error.diag.constraint_name or "").startswith("pg_")


def told(error: psycopg.Error) -> StoreError:
    """The error as this package passes it on: without the server's words."""
    return StoreError(classify(error), error.sqlstate, type(error).__name__)
