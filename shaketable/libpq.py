"""The harness's PostgreSQL connections: only the URL counts, not the user's libpq configuration.

libpq also reads PG* variables, ~/.pgpass, ~/.pg_service.conf and ~/.postgresql. They could lead the harness to another
server, or to none. Every parameter is therefore passed explicitly, which overrides its variable. The few variables
without a parameter are removed from the environment while a connection is made.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

#: A path where no file can exist: libpq reads this path instead of one in the home folder.
NO_FILE = "/dev/null/none"
#: Default values of parameters that the URL does not name; libpq treats an empty value as absent.
DEFAULTS = {
    "application_name": "",
    "channel_binding": "prefer",
    "dbname": "",
    "gssdelegation": "0",
    "gssencmode": "disable",
    "gsslib": "",
    "host": "",
    "hostaddr": "",
    "krbsrvname": "postgres",
    "load_balance_hosts": "disable",
    "max_protocol_version": "3.0",
    "min_protocol_version": "3.0",
    "options": "",
    "passfile": NO_FILE,
    "password": "",
    "port": "5432",
    "requirepeer": "",
    "sslcert": "",
    "sslcertmode": "disable",
    "sslcompression": "0",
    "sslcrl": NO_FILE,
    "sslcrldir": "",
    "sslkey": "",
    "ssl_max_protocol_version": "",
    "ssl_min_protocol_version": "TLSv1.2",
    "sslmode": "prefer",
    "sslnegotiation": "postgres",
    "sslrootcert": NO_FILE,
    "sslsni": "1",
    "target_session_attrs": "any",
}
#: Variables that libpq reads regardless of its parameters; an empty require_auth would forbid every method.
HIDDEN = ("PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGREQUIREAUTH")
#: Connect timeout in seconds.
CONNECT_S = 30

_KNOWN = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
_lock = threading.Lock()
_connecting = 0
_kept: dict[str, str] = {}


def connect(
    url: str, *, autocommit: bool = False, connect_timeout: int = CONNECT_S, options: str = "", **more: Any
) -> psycopg.Connection[Any]:
    """Connect to this URL; `options` are settings (`-c name=value …`), `more` are libpq parameters.

    Raises psycopg.OperationalError when the server refuses the connection.
    """
    asked = parameters(url, connect_timeout=connect_timeout, options=options, **more)
    with _hidden_variables():
        return psycopg.connect(autocommit=autocommit, **asked)


def connect_read_only(
    url: str, statement_s: float, *, connect_timeout: int = CONNECT_S, **more: Any
) -> psycopg.Connection[Any]:
    """Connect for SQL from a manifest: the session is read-only and has a statement timeout of `statement_s`.

    Execute with `prepare=True`, which accepts a single statement. Raises psycopg.OperationalError.
    """
    bounds = (
        f"-c default_transaction_read_only=on -c statement_timeout={round(statement_s * 1000)} -c lock_timeout=2000"
    )
    options = f"{bounds} {more.pop('options', '')}".strip()
    return connect(url, connect_timeout=connect_timeout, options=options, **more)


@contextmanager
def time_limit(connection: psycopg.Connection[Any], within_s: float) -> Iterator[None]:
    """Bound the use of a session to `within_s` seconds. Raises psycopg.OperationalError after that.

    A frozen server does not enforce `statement_timeout`, and its kernel still acknowledges packets, which also defeats
    `tcp_user_timeout`. The timer therefore shuts down the session's socket.
    """
    late = threading.Event()
    with socket.socket(fileno=os.dup(connection.fileno())) as own:  # the session may be closed by then

        def shut() -> None:
            late.set()
            with suppress(OSError):
                own.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(within_s, shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as e:
            if late.is_set():
                raise psycopg.OperationalError(f"no answer within {within_s:g} s") from e
            raise
        finally:
            timer.cancel()
            timer.join()


def parameters(url: str, **more: Any) -> dict[str, Any]:
    """Return every connection parameter, so that libpq reads none from its environment."""
    said = conninfo_to_dict(url)
    settings = f"{said.pop('options', '')} {more.pop('options', '')}".strip()
    said |= {**more, "options": settings}
    if "sslcert" in said:
        said.setdefault("sslcertmode", "allow")
    given = {"user": _user(), **DEFAULTS, **said, "client_encoding": "UTF8"}
    return {name: value for name, value in given.items() if name in _KNOWN}


def _user() -> str:
    """libpq's default user name; empty when the system has no entry for this user."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


@contextmanager
def _hidden_variables() -> Iterator[None]:
    """Remove HIDDEN from the environment while any thread connects."""
    global _connecting
    with _lock:
        _connecting += 1
        _kept.update({name: os.environ.pop(name) for name in HIDDEN if name in os.environ})
    try:
        yield
    finally:
        with _lock:
            _connecting -= 1
            if not _connecting:
                os.environ.update(_kept)
                _kept.clear()
