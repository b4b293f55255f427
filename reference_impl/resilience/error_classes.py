"""The meaning of each error of the store: one table of SQLSTATEs and of their classes, the first two characters."""

import psycopg

from reference_impl.errors import Failure, StoreError
from reference_impl.settings import Settings
from reference_impl.store.handler import HandlerError

MEANING = {
    # our own timers; a waiter that terminates a stale holder causes 57P01, as an operator does
    **dict.fromkeys(("25P03", "25P04", "57P05"), Failure.LANE_LOST),
    # a table that was created meanwhile; more retryable errors are a setting
    "42P07": Failure.RETRY,
    **dict.fromkeys(("57P01", "57P02", "57P03", "57P04", "25006", "42501", "42P01", "08", "53"), Failure.UNAVAILABLE),
    # data exceptions, not null, and limits of the program that one event exceeds
    **dict.fromkeys(("22", "23502", "54"), Failure.DATA),
}
CHECK_VIOLATION, UNIQUE_VIOLATION = "23514", "23505"
DEFAULTS = Settings()


def classify(error: psycopg.Error, settings: Settings = DEFAULTS) -> Failure:
    """The meaning of this error; the settings decide first which ones are retryable.

    By its SQLSTATE, the name of its type, or a part of its message, which is never stored.
    """
    code, constraint, named = error.sqlstate, error.diag.constraint_name, settings.retryable_errors
    message = str(error.__cause__ if isinstance(error, HandlerError) else error)
    if code in named or kind(error) in named or any(part in message for part in settings.retryable_messages):
        return Failure.RETRY
    if isinstance(error, HandlerError):
        return error.failure
    if code is None:  # connection errors have no code
        return Failure.UNAVAILABLE if isinstance(error, psycopg.OperationalError) else Failure.UNKNOWN
    if code == CHECK_VIOLATION:  # by a row without a partition too, but then no constraint is named
        return Failure.DATA if constraint else Failure.RETRY
    if code == UNIQUE_VIOLATION:  # in the catalogue's own indexes: two CREATEs of one name collided
        return Failure.RETRY if (constraint or "").startswith("pg_") else Failure.DATA
    return MEANING.get(code) or MEANING.get(code[:2]) or Failure.UNKNOWN


def kind(error: psycopg.Error) -> str:
    """The name of its type, or of the type that a handler raised."""
    return error.kind if isinstance(error, HandlerError) else type(error).__name__


def to_store_error(error: psycopg.Error, settings: Settings = DEFAULTS) -> StoreError:
    """The error in the form this package reports it: without the server's message."""
    return StoreError(classify(error, settings), error.sqlstate, kind(error))
