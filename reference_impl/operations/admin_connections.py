"""AdminConnections: what the store is asked besides deliveries. While the breaker is not closed, nothing.

So a worker whose breaker is open truly sends nothing: neither its upkeep nor what an operator asks of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from reference_impl.errors import BreakerOpenError
from reference_impl.resilience.circuit_breaker import CLOSED
from reference_impl.resilience.watchdog import Connection, bounded, shutdown_socket
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.writer import Store

#: Longest that what an operator asks may take, in attempts.
ATTEMPTS = 2


class AdminConnections:
    """Gives a connection to each errand, and ends all of them when the breaker opens."""

    def __init__(self, settings: Settings, state: Callable[[], str]) -> None:
        self._settings, self._state = settings, state
        self._connecting = connections.Connecting(settings)
        self._open: set[Connection] = set()

    @asynccontextmanager
    async def connection(self, bound_s: float) -> AsyncIterator[Connection]:
        """A connection for one errand, of at most so many seconds. Raises BreakerOpenError or psycopg.Error."""
        self._refuse_unless_closed()
        connection = await self._connecting.connect()
        self._open.add(connection)
        try:
            self._refuse_unless_closed()  # it may have opened just now
            with bounded(connection, bound_s):
                yield connection
        finally:
            self._open.discard(connection)
            await connections.close(connection)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The store, for what an operator asks. Raises BreakerOpenError or psycopg.Error."""
        async with self.connection(self._settings.attempt_timeout_s * ATTEMPTS) as connection:
            yield Store(connection, self._settings)

    def cut(self) -> None:
        """End every errand at once."""
        for connection in self._open:
            shutdown_socket(connection)
        self._connecting.cut()

    def _refuse_unless_closed(self) -> None:
        if self._state() != CLOSED:
            raise BreakerOpenError("the store is away: this worker's breaker is not closed")
