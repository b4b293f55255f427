"""The store of jobs that run in processes or threads: a connection for each, opened with its first job and kept.

That is what an ORM does for the users of these libraries (Django's CONN_MAX_AGE, SQLAlchemy's pool of a prefork
worker): a connection is never shared by a fork or between threads, one that failed is dropped, and the next job opens
another. Nobody retries here: that is the library's, or its user's setting.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


class Store:
    """Inserts one event a job, by one of `statements`. `options` are psycopg's, such as connect_timeout."""

    def __init__(self, statement: str, url: str | None = None, **options: Any) -> None:
        self._statement, self._url, self._options = statement, url, options
        self._mine = threading.local()

    def insert(self, event: dict[str, Any]) -> None:
        """Commit one event. Raises psycopg.Error when it is not known to be stored."""
        connection = self._connection()
        try:
            connection.execute(self._statement, {"event_id": event["eventId"], "event": Jsonb(event)})
        except psycopg.OperationalError:
            connection.close()
            raise

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        if (kept := getattr(self._mine, "connection", None)) is not None:
            kept.close()

    def _connection(self) -> psycopg.Connection[Any]:
        kept = getattr(self._mine, "connection", None)
        if kept is None or kept.closed or self._mine.pid != os.getpid():
            kept = psycopg.connect(self._url or os.environ["DATABASE_URL"], autocommit=True, **self._options)
            self._mine.connection, self._mine.pid = kept, os.getpid()
        return kept
