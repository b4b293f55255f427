"""What an error of the store means: one table of exact SQLSTATEs and classes (the first two characters)."""

from __future__ import annotations

import psycopg

from reference_impl.errors import Failure, StoreError
from reference_impl.settings import Settings
from reference_impl.store.handler import HandlerError

#: Our own timers. A waiter's eviction of a holder that they cannot reach is 57P01, as an operator's: nobody can tell.
LANE_LOST = frozenset({"25P03", "25P04", "57P05"})
#: A table that somebody made meanwhile. What else is tried again is a setting.
RETRY = frozenset({"42P07"})
AWAY = frozenset({"57P01", "57P02", "57P03", "57P04", "25006", "42501", "42P01"})
AWAY_CLASSES = frozenset({"08", "53"})
#: Integrity of the value itself.
DATA = frozenset({"23502"})
#: Data exceptions, and limits of the program that one event alone runs into.
DATA_CLASSES = frozenset({"22", "54"})
CHECK_VIOLATION, UNIQUE_VIOLATION = "23514", "23505"


#: What is retryable unless somebody's settings say otherwise.
DEFAULTS = Settings()


def classify(error: psycopg.Error, settings: Settings = DEFAULTS) -> Failure:
    """The row of the table that this error falls in; what the settings call retryable comes first."""
    code = error.sqlstate
    if _is_retryable(error, settings):
        return Failure.RETRY
    if isinstance(error, HandlerError):
        return error.failure
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


def _is_retryable(error: psycopg.Error, settings: Settings) -> bool:
    """By its SQLSTATE, its type's name, or a part of its message, which is looked at and never kept."""
    names, parts = settings.retryable_errors, settings.retryable_messages
    said = str(error.__cause__ if isinstance(error, HandlerError) else error)
    return error.sqlstate in names or kind(error) in names or any(part in said for part in parts)


def kind(error: psycopg.Error) -> str:
    """The name of its type; of a handler's error that of what the handler raised."""
    return error.kind if isinstance(error, HandlerError) else type(error).__name__


def missing_partition(error: psycopg.Error) -> bool:
    """A row without a partition is a check violation too, but of no constraint that has a name."""
    return error.sqlstate == CHECK_VIOLATION and not error.diag.constraint_name


def _racing_create(error: psycopg.Error) -> bool:
    """Two CREATEs of one name collide in the catalogue's own unique indexes."""
    return (error.diag.constraint_name or "").startswith("pg_")


def to_store_error(error: psycopg.Error, settings: Settings = DEFAULTS) -> StoreError:
    """The error as this package passes it on: without the server's words."""
    return StoreError(classify(error, settings), error.sqlstate, kind(error))
