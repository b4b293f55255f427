"""The gate to the store: no connection while the breaker forbids it, and none outlives the breaker's opening.

So a worker whose breaker is open sends nothing to the store, neither deliveries nor maintenance nor replays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from weakref import WeakSet

import anyio

from reference_impl.errors import BreakerOpenError
from reference_impl.resilience.states import CLOSED
from reference_impl.resilience.watchdog import Connection, shutdown_socket
from reference_impl.settings import Settings
from reference_impl.store import connections


class ConnectionGate:
    """Makes connections in the permitted states of the breaker, and aborts them all at once."""

    def __init__(self, settings: Settings, state: Callable[[], str], permitted: Collection[str] = (CLOSED,)) -> None:
        self.settings = settings
        self._state, self._permitted = state, permitted
        self._connecting: set[anyio.CancelScope] = set()
        self._connected: WeakSet[Connection] = WeakSet()

    async def connect(self) -> Connection:
        """A new connection, which the caller closes. Raises BreakerOpenError or psycopg.OperationalError."""
        if self._state() not in self._permitted:
            raise BreakerOpenError(f"no connection to the store: the breaker is {self._state()}")
        connection: Connection | None = None
        with anyio.CancelScope() as scope:
            self._connecting.add(scope)
            try:
                connection = await connections.connect(self.settings)
            finally:
                self._connecting.discard(scope)
        if connection is None or scope.cancel_called:  # `abort` may come when the connection is just made
            if connection is not None:
                await connections.close(connection)
            raise BreakerOpenError("no connection to the store: aborted while it was made")
        self._connected.add(connection)
        return connection

    def abort(self) -> None:
        """End every connection now, made or in the making: each pending call fails."""
        for connection in self._connected:
            shutdown_socket(connection)
        for scope in self._connecting:
            scope.cancel()
