"""Connections to the store: bounded in time, and none while the breaker forbids it.

A watchdog bounds every call to the store: it shuts the socket down when the time is up. Nothing gentler works on a
silent link: the server's own time-outs do not reach us, and a cancelled psycopg call first tries to cancel its query on
the server, over the same silent link. Each session also has time-outs of the server's own, which act when the watchdog
cannot.
"""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString
from weakref import WeakSet

import anyio
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reference_impl.errors import BreakerOpenError, SettingsError
from reference_impl.resilience import error_classes
from reference_impl.resilience.circuit_breaker import CLOSED
from reference_impl.settings import Settings

#: Parts of the attempt time-out: the server gives up a lock, then a statement, before we give up the connection.
LOCK_SHARE, STATEMENT_SHARE = 0.5, 0.9
#: Part of the lease after which the server ends an idle session; a consumer writes a heartbeat each quarter.
IDLE_SHARE = 0.75
#: Longest that an operator's request may take, in attempts.
REQUEST_ATTEMPTS = 2
#: An option of our own, by which a session shows that it has received all of them.
MARK = "reference.options"
BACKEND = "select pg_backend_pid()"
POOLED = (
    "DATABASE_URL: expected PostgreSQL itself, or a pooler that keeps a session for each connection and passes on its"
    " start-up options, got {}: connect to PostgreSQL's own port"
)

Connection = psycopg.AsyncConnection[Any]


def load(module: str | Path) -> dict[str, LiteralString]:
    """The queries of the .sql file next to a module, by name. Pass its `__file__`."""
    text = Path(module).with_suffix(".sql").read_text(encoding="utf-8")
    without_comments = re.sub(r"^-- (?!name: ).*\n", "", text, flags=re.MULTILINE)
    _, *parts = re.split(r"-- name: (\w+)\n", without_comments)
    return dict(zip(parts[::2], parts[1::2], strict=True))


#: The text of a query of the store by its name, which may have {parts} to fill in.
query = load(Path(__file__).with_name("queries")).__getitem__


def shutdown_socket(connection: Connection) -> None:
    """End both directions at once: a pending call on this connection fails now. Sends no statement."""
    # an error means that it is closed already
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as twin:
        twin.shutdown(socket.SHUT_RDWR)


@contextmanager
def bounded(connection: Connection, seconds: float) -> Iterator[None]:
    """Fail any call on this connection with an OperationalError when `seconds` are over."""
    timer = asyncio.get_running_loop().call_later(seconds, shutdown_socket, connection)
    try:
        yield
    finally:
        timer.cancel()


async def close(connection: Connection) -> None:
    """Close a connection without waiting for the server."""
    shutdown_socket(connection)
    await connection.close()


async def fetch_all(connection: Connection, text: str, *values: object) -> list[Any]:
    """All rows of a query."""
    return await (await connection.execute(text, values)).fetchall()


async def fetch_value(connection: Connection, text: str, *values: object) -> Any:
    """The first column of the first row; None if there is no row."""
    rows = await fetch_all(connection, text, *values)
    return rows[0][0] if rows else None


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
    with suppress(psycopg.OperationalError):
        async with await connect(settings) as one, await connect(settings) as other:
            with bounded(one, settings.attempt_timeout_s), bounded(other, settings.attempt_timeout_s):
                first = await fetch_value(one, BACKEND)
                async with other.transaction():  # takes the session that the first one may have given back to a pooler
                    if await fetch_value(other, BACKEND) == first or await fetch_value(one, BACKEND) != first:
                        raise SettingsError(POOLED.format("one that shares sessions"))


async def connect_without_timeouts(settings: Settings) -> Connection:
    """A connection for a command, which may take as long as it needs. Raises psycopg.OperationalError."""
    connection = await connect(settings)
    for timeout in ("lock_timeout", "statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"set {timeout} = 0")
    return connection


def conninfo(settings: Settings) -> str:
    """The address with our options; options that it carries come first, so that ours are in force."""
    timeout, given = max(2, round(settings.connect_timeout_s)), conninfo_to_dict(settings.database_url).get("options")
    both = f"{given or ''} {options(settings)}".strip()
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


class ConnectionGate:
    """Makes connections in the permitted states of the breaker, and aborts them all at once when it opens.

    So a worker whose breaker is open sends nothing to the store: no delivery, maintenance or operator's request.
    """

    def __init__(self, settings: Settings, state: Callable[[], str], permitted: Collection[str] = (CLOSED,)) -> None:
        self.settings = settings
        self._state, self._permitted = state, permitted
        self._connecting: WeakSet[anyio.CancelScope] = WeakSet()
        self._connected: WeakSet[Connection] = WeakSet()

    async def connect(self) -> Connection:
        """A new connection, which the caller closes. Raises BreakerOpenError or psycopg.OperationalError."""
        if self._state() not in self._permitted:
            raise BreakerOpenError(f"no connection to the store: the breaker is {self._state()}")
        with anyio.CancelScope() as scope:
            self._connecting.add(scope)
            connection = await connect(self.settings)
            if not scope.cancel_called:
                self._connected.add(connection)
                return connection
            await close(connection)  # `abort` came when it was just made
        raise BreakerOpenError("no connection to the store: aborted while it was made")

    @asynccontextmanager
    async def connection(self, bound_s: float | None = None) -> AsyncIterator[Connection]:
        """A connection for at most `bound_s`, by default two attempts. Raises BreakerOpenError or StoreError."""
        try:
            connection = await self.connect()
            try:
                with bounded(connection, bound_s or self.settings.attempt_timeout_s * REQUEST_ATTEMPTS):
                    yield connection
            finally:
                await close(connection)
        except psycopg.Error as e:
            raise error_classes.to_store_error(e, self.settings) from None

    def abort(self) -> None:
        """End every connection now, made or in the making: each pending call fails."""
        for connection in self._connected:
            shutdown_socket(connection)
        for scope in self._connecting:
            scope.cancel()
