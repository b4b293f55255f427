"""Dead letters, for libraries that have no place for them, or only a passing one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_BURY = """
insert into dead_letter (event_id, event, cause, attempts, first_failed_at, last_failed_at, history)
values (%(event_id)s, %(event)s, %(cause)s, %(attempts)s, %(at)s, %(at)s, %(history)s)
on conflict (event_id) do nothing
"""


def bury(event: dict[str, Any], error: BaseException | None, attempts: int = 1) -> None:
    """Commit one letter. Raises psycopg.Error."""
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection:
        connection.execute(_BURY, letter(event, error, attempts))


def letter(event: dict[str, Any], error: BaseException | None, attempts: int) -> dict[str, Any]:
    """The row's values: the kind of error and its SQLSTATE, never its message, which may hold the event's content."""
    now, cause = datetime.now(UTC), f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".strip()
    return {
        "event_id": event["eventId"],
        "event": Jsonb(event),
        "cause": cause,
        "attempts": attempts,
        "at": now,
        "history": Jsonb([{"at": now.isoformat(), "attempt": attempts, "error": cause}]),
    }
