"""Sessions at the database: the harness's own, past every link, and the target's as the server lists them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from shaketable import libpq
from shaketable.errors import HarnessError
from shaketable.faults.fault import FaultContext

Connection = psycopg.Connection[Any]
Error = psycopg.Error

#: Seconds that connecting, and waiting for the target's locks, may take.
ASK_S = 5
#: Seconds that a session of a fault's may last: a server that is frozen would keep it for ever.
ANSWER_S = 30

#: The sessions of the target's processes: their links name them so, and the number of their incarnation.
_TARGET = "datname = current_database() and regexp_replace(application_name, '\\.[0-9]+$', '') = any(%s)"


def connect(url: str, *, autocommit: bool = True, deadlock_timeout: str | None = None) -> Connection:
    """A session that writes even where others may only read. Raises psycopg.OperationalError."""
    settings = {"lock_timeout": f"{ASK_S}s", "default_transaction_read_only": "off", "log_duration": "off"}
    if deadlock_timeout:
        settings["deadlock_timeout"] = deadlock_timeout
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return libpq.connect(url, connect_timeout=ASK_S, options=options, autocommit=autocommit)


@contextmanager
def admin(context: FaultContext, deadlock_timeout: str | None = None) -> Iterator[Connection]:
    """The harness's own session as superuser, in autocommit. Raises HarnessError."""
    try:
        session = connect(context.services.admin_url, deadlock_timeout=deadlock_timeout)
        with session as connection, libpq.time_limit(connection, ANSWER_S):
            yield connection
    except psycopg.Error as e:
        raise HarnessError(f"the database did not do what a fault asked of it: {e}") from e


def processes(context: FaultContext, process: str | None) -> list[str]:
    """The processes that have a link to Postgres, or those of them that a name means."""
    return [link.process for link in context.links.to("postgres", process)]


def terminate(connection: Connection, names: list[str]) -> int:
    """End the sessions of these processes, and wait until they are gone; returns how many there were."""
    query = f"select pid, pg_terminate_backend(pid) from pg_stat_activity where {_TARGET}"
    pids = [pid for pid, _ in connection.execute(query.encode(), [names])]
    deadline = time.monotonic() + ASK_S
    while _are_there(connection, pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(pids)


def _are_there(connection: Connection, pids: list[int]) -> bool:
    row = connection.execute("select exists (select from pg_stat_activity where pid = any(%s))", [pids]).fetchone()
    return bool(row and row[0])


def count(connection: Connection, names: list[str], of_them: str = "true") -> int:
    """How many sessions these processes have, or those among them for which a condition holds."""
    row = connection.execute(
        f"select count(*) from pg_stat_activity where {_TARGET} and {of_them}".encode(), [names]
    ).fetchone()
    return int(row[0]) if row else 0


def statistic(connection: Connection, name: str) -> int:
    """A counter of pg_stat_database for this database."""
    query = f"select {name} from pg_stat_database where datname = current_database()"
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
