"""Connections for maintenance and operators. While the breaker is not closed, nothing is sent to the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from reference_impl.resilience import error_classes
from reference_impl.resilience.watchdog import Connection, bounded
from reference_impl.store import connections
from reference_impl.store.gate import ConnectionGate
from reference_impl.store.writer import Store

#: Longest that an operator's request may take, in attempts.
ATTEMPTS = 2


class AdminConnections(ConnectionGate):
    """Opens a connection for each use; the breaker's opening aborts all of them."""

    @asynccontextmanager
    async def connection(self, bound_s: float) -> AsyncIterator[Connection]:
        """A connection for at most `bound_s` seconds. Raises BreakerOpenError or StoreError."""
        try:
            connection = await self.connect()
            try:
                with bounded(connection, bound_s):
                    yield connection
            finally:
                await connections.close(connection)
        except psycopg.Error as e:
            raise error_classes.to_store_error(e, self.settings) from None

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The store, for an operator's request. Raises BreakerOpenError or StoreError."""
        async with self.connection(self.settings.attempt_timeout_s * ATTEMPTS) as connection:
            yield Store(connection, self.settings)
