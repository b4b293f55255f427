"""Connections to the store: each with the server's own time-outs, for what the watchdog cannot see."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reference_impl.errors import BreakerOpenError
from reference_impl.settings import Settings
from reference_impl.watchdog import Connection, shut

#: Parts of the attempt time-out: the server gives up a lock, then a statement, before we give up the connection.
LOCK_SHARE, STATEMENT_SHARE = 0.5, 0.9
#: Part of the lease after which the server ends a session that says nothing; its owner beats each quarter.
IDLE_SHARE = 0.75


async def connect(settings: Settings) -> Connection:
    """A new connection, in autocommit. Raises psycopg.OperationalError within connect_timeout_s."""
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            return await psycopg.AsyncConnection.connect(conninfo(settings), autocommit=True)
    except TimeoutError:
        raise psycopg.OperationalError("no connection in time") from None


class Connecting:
    """Connections that are being made, and can be called off: so that nothing more is sent once the breaker opens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._under_way: set[asyncio.Task[Connection]] = set()

    async def connect(self) -> Connection:
        """A new connection. Raises psycopg.OperationalError, or BreakerOpenError when it is called off."""
        task = asyncio.create_task(connect(self._settings))
        self._under_way.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if not task.cancelled():  # it is the caller who was
                task.cancel()
                raise
            raise BreakerOpenError("the breaker opened while a connection was made") from None
        finally:
            self._under_way.discard(task)

    def cut(self) -> None:
        """Call all of them off."""
        for task in self._under_way:
            task.cancel()


async def connect_unhurried(settings: Settings) -> Connection:
    """A connection for a command that may take its time: none of our time-outs. Raises psycopg.OperationalError."""
    connection = await connect(settings)
    for timeout in ("lock_timeout", "statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"set {timeout} = 0")
    return connection


def conninfo(settings: Settings) -> str:
    """The address with our time-outs; options that it carries come first, so that ours stand."""
    given = conninfo_to_dict(settings.database_url).get("options") or ""
    return make_conninfo(
        settings.database_url,
        connect_timeout=max(2, round(settings.connect_timeout_s)),
        options=f"{given} {_options(settings)}".strip(),
    )


def _options(settings: Settings) -> str:
    milliseconds = {
        "lock_timeout": settings.attempt_timeout_s * LOCK_SHARE,
        "statement_timeout": settings.attempt_timeout_s * STATEMENT_SHARE,
        "idle_session_timeout": settings.lease_s * IDLE_SHARE,
        "idle_in_transaction_session_timeout": settings.lease_s * IDLE_SHARE,
        "client_connection_check_interval": settings.attempt_timeout_s,
    }
    return " ".join(f"-c {name}={max(1, int(s * 1000))}" for name, s in milliseconds.items()) + " -c TimeZone=UTC"


async def close(connection: Connection) -> None:
    """Close a connection without waiting for anybody."""
    shut(connection)
    await connection.close()
