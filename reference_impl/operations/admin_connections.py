"""Connections for maintenance and operators. While the breaker is not closed, nothing is sent to the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from reference_impl.errors import BreakerOpenError
from reference_impl.resilience import error_classes
from reference_impl.resilience.circuit_breaker import CLOSED
from reference_impl.resilience.watchdog import Connection, bounded, shutdown_socket
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.writer import Store

#: Longest that an operator's request may take, in attempts.
ATTEMPTS = 2


class AdminConnections:
    """Opens a connection for each use, and aborts all of them when the breaker opens."""

    def __init__(self, settings: Settings, state: Callable[[], str]) -> None:
        self._settings, self._state = settings, state
        self._connecting = connections.Connecting(settings)
        self._open: set[Connection] = set()

    @asynccontextmanager
    async def connection(self, bound_s: float) -> AsyncIterator[Connection]:
        """A connection for at most `bound_s` seconds. Raises BreakerOpenError or StoreError."""
        self._require_closed()
        try:
            connection = await self._connecting.connect()
            self._open.add(connection)
            try:
                self._require_closed()  # it may have opened just now
                with bounded(connection, bound_s):
                    yield connection
            finally:
                self._open.discard(connection)
                await connections.close(connection)
        except psycopg.Error as e:
            raise error_classes.to_store_error(e, self._settings) from None

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The store, for an operator's request. Raises BreakerOpenError or StoreError."""
        async with self.connection(self._settings.attempt_timeout_s * ATTEMPTS) as connection:
            yield Store(connection, self._settings)

    def cut(self) -> None:
        """Abort every connection at once."""
        for connection in self._open:
            shutdown_socket(connection)
        self._connecting.cut()

    def _require_closed(self) -> None:
        if self._state() != CLOSED:
            raise BreakerOpenError("the store is unavailable: this worker's breaker is not closed")
