"""Connections to the store: each with the server's own time-outs, for what the watchdog cannot see."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reference_impl.errors import BreakerOpenError, SettingsError
from reference_impl.resilience.watchdog import Connection, bounded, shutdown_socket
from reference_impl.settings import Settings

#: Parts of the attempt time-out: the server gives up a lock, then a statement, before we give up the connection.
LOCK_SHARE, STATEMENT_SHARE = 0.5, 0.9
#: Part of the lease after which the server ends a session that says nothing; its owner beats each quarter.
IDLE_SHARE = 0.75
#: An option of ours, by which a session shows that it was given all of them.
MARK = "reference.options"
POOLED = (
    "DATABASE_URL: expected PostgreSQL itself, or a pooler that keeps a session for each connection and passes on its"
    " start-up options, got {}: connect to PostgreSQL's own port"
)


async def connect(settings: Settings) -> Connection:
    """A new connection, in autocommit. Raises psycopg.OperationalError within connect_timeout_s, or SettingsError."""
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            connection = await psycopg.AsyncConnection.connect(conninfo(settings), autocommit=True)
            try:
                await _require_options(connection)
            except BaseException:
                await close(connection)
                raise
            return connection
    except TimeoutError:
        raise psycopg.OperationalError("no connection in time") from None
    except psycopg.OperationalError as e:
        if "unsupported startup parameter" in str(e):
            raise SettingsError(POOLED.format("one that refuses them")) from None
        raise


async def _require_options(connection: Connection) -> None:
    """Raise SettingsError where our options got lost: with them the time-outs and the zone that the rest counts on."""
    found = await connection.execute("select current_setting(%s, true)", [MARK])
    if await found.fetchone() != ("on",):
        raise SettingsError(POOLED.format("one that drops them"))


async def require_sessions(settings: Settings) -> None:
    """Raise SettingsError where a connection is no session of its own; one that cannot be made now proves nothing.

    Two workers would hold the same lane there: a lock belongs to a session.
    """
    try:
        one, other = await connect(settings), await connect(settings)
    except psycopg.OperationalError:
        return
    try:
        with bounded(one, settings.attempt_timeout_s), bounded(other, settings.attempt_timeout_s):
            first = await _backend(one)
            async with other.transaction():  # takes whatever the first one left to a pooler
                if await _backend(other) == first or await _backend(one) != first:
                    raise SettingsError(POOLED.format("one that shares sessions"))
    except psycopg.OperationalError:
        pass
    finally:
        await close(one)
        await close(other)


async def _backend(connection: Connection) -> int:
    row = await (await connection.execute("select pg_backend_pid()")).fetchone()
    return int(row[0]) if row else 0


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


async def connect_without_timeouts(settings: Settings) -> Connection:
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
        options=f"{given} {options(settings)}".strip(),
    )


def options(settings: Settings) -> str:
    """The start-up options of every session: its time-outs, its time zone and our mark."""
    milliseconds = {
        "lock_timeout": settings.attempt_timeout_s * LOCK_SHARE,
        "statement_timeout": settings.attempt_timeout_s * STATEMENT_SHARE,
        "idle_session_timeout": settings.lease_s * IDLE_SHARE,
        "idle_in_transaction_session_timeout": settings.lease_s * IDLE_SHARE,
        "client_connection_check_interval": settings.attempt_timeout_s,
    }
    return (
        " ".join(f"-c {name}={max(1, int(s * 1000))}" for name, s in milliseconds.items())
        + f" -c TimeZone=UTC -c {MARK}=on"
    )


async def close(connection: Connection) -> None:
    """Close a connection without waiting for anybody."""
    shutdown_socket(connection)
    await connection.close()
