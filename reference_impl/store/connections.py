"""Connections to the store: each with time-outs of the server's own, which act when the watchdog cannot."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reference_impl.errors import SettingsError
from reference_impl.resilience.watchdog import Connection, bounded, shutdown_socket
from reference_impl.settings import Settings
from reference_impl.store.queries import fetch_value

#: Parts of the attempt time-out: the server gives up a lock, then a statement, before we give up the connection.
LOCK_SHARE, STATEMENT_SHARE = 0.5, 0.9
#: Part of the lease after which the server ends an idle session; a consumer writes a heartbeat each quarter.
IDLE_SHARE = 0.75
#: An option of our own, by which a session shows that it has received all of them.
MARK = "reference.options"
POOLED = (
    "DATABASE_URL: expected PostgreSQL itself, or a pooler that keeps a session for each connection and passes on its"
    " start-up options, got {}: connect to PostgreSQL's own port"
)


async def connect(settings: Settings) -> Connection:
    """A new connection, in autocommit. Raises psycopg.OperationalError within connect_timeout_s, or SettingsError.

    SettingsError where a pooler refuses or drops our options, because everything relies on those time-outs.
    """
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            connection = await psycopg.AsyncConnection.connect(conninfo(settings), autocommit=True)
            try:
                if await fetch_value(connection, "select current_setting(%s, true)", MARK) != "on":
                    raise SettingsError(POOLED.format("one that drops them"))
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


async def require_sessions(settings: Settings) -> None:
    """Raise SettingsError where connections share a session; one that cannot be made now proves nothing.

    A lock belongs to a session, so two workers would hold the same lane there.
    """
    try:
        one, other = await connect(settings), await connect(settings)
    except psycopg.OperationalError:
        return
    try:
        with bounded(one, settings.attempt_timeout_s), bounded(other, settings.attempt_timeout_s):
            first = await _backend(one)
            async with other.transaction():  # takes the session that the first one may have given back to a pooler
                if await _backend(other) == first or await _backend(one) != first:
                    raise SettingsError(POOLED.format("one that shares sessions"))
    except psycopg.OperationalError:
        pass
    finally:
        await close(one)
        await close(other)


async def _backend(connection: Connection) -> int:
    return int(await fetch_value(connection, "select pg_backend_pid()"))


async def connect_without_timeouts(settings: Settings) -> Connection:
    """A connection for a command, which may take as long as it needs. Raises psycopg.OperationalError."""
    connection = await connect(settings)
    for timeout in ("lock_timeout", "statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"set {timeout} = 0")
    return connection


def conninfo(settings: Settings) -> str:
    """The address with our time-outs; options that it carries come first, so that ours are in force."""
    given = conninfo_to_dict(settings.database_url).get("options") or ""
    timeout, both = max(2, round(settings.connect_timeout_s)), f"{given} {options(settings)}".strip()
    return make_conninfo(settings.database_url, connect_timeout=timeout, options=both)


def options(settings: Settings) -> str:
    """The start-up options of every session: its time-outs, its time zone and our mark."""
    seconds = {
        "lock_timeout": settings.attempt_timeout_s * LOCK_SHARE,
        "statement_timeout": settings.attempt_timeout_s * STATEMENT_SHARE,
        "idle_session_timeout": settings.lease_s * IDLE_SHARE,
        "idle_in_transaction_session_timeout": settings.lease_s * IDLE_SHARE,
        "client_connection_check_interval": settings.attempt_timeout_s,
    }
    timeouts = [f"-c {name}={max(1, int(s * 1000))}" for name, s in seconds.items()]
    return " ".join([*timeouts, "-c TimeZone=UTC", f"-c {MARK}=on"])


async def close(connection: Connection) -> None:
    """Close a connection without waiting for the server."""
    shutdown_socket(connection)
    await connection.close()
