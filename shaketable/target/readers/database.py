"""Counts in PostgreSQL by the manifest's SQL: a bounded session of the harness's, replaced after a failure."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.stack.stack import Stack
from shaketable.target.readers.whole import whole

#: Timeout of a count in milliseconds: counting must not become a load.
COUNT_MS = 2_000
#: Timeout in seconds for a server that does not enforce COUNT_MS because it is frozen.
ANSWER_S = COUNT_MS / 1000 + 1


class Database:
    """A failed count is None, and the session is replaced."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._session: psycopg.Connection[Any] | None = None

    def count(self, query: str) -> int | None:
        """The number of the query's rows."""
        return self._number("select count(*) from ({}) as q", query)

    def number(self, query: str) -> int | None:
        """The whole number in the query's first row and column."""
        return self._number("select * from ({}) as q limit 1", query)

    def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _number(self, select: LiteralString, query: str) -> int | None:
        try:
            session = self._connected()
            with libpq.time_limit(session, ANSWER_S):
                row = session.execute(sql.SQL(select).format(sql.SQL(query)), prepare=True).fetchone()
            return whole(row[0]) if row and row[0] is not None else None
        except (psycopg.Error, ValueError):
            self.close()
            return None

    def _connected(self) -> psycopg.Connection[Any]:
        if self._session is None or self._session.closed:
            # with the harness's role: a fault may exhaust the connections of the target's role
            self._session = libpq.connect_read_only(
                self._stack.admin_url(),
                COUNT_MS / 1000,
                autocommit=True,
                connect_timeout=2,
                options="-c log_duration=off",
            )
        return self._session
