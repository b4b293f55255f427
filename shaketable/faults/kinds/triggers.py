"""Faults inside the database: triggers on the relation that events are stored in, in a schema of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.errors import HarnessError
from shaketable.faults.fault import FaultContext
from shaketable.stack import own_schema

#: Seconds that putting a trigger on may wait for the target's transactions.
LOCK_S = 5
#: Seconds that a session may last: a server that is frozen would keep it for ever.
ANSWER_S = 30
#: The harness may write also while another fault lets others only read.
OPTIONS = f"-c lock_timeout={LOCK_S}s -c default_transaction_read_only=off"


@contextmanager
def admin(context: FaultContext) -> Iterator[psycopg.Connection[Any]]:
    """The harness's own session as superuser, past every link; commits at the end. Raises HarnessError."""
    try:
        session = libpq.connect(context.services.admin_url, connect_timeout=5, options=OPTIONS)
        with session as connection, libpq.time_limit(connection, ANSWER_S):
            connection.execute(own_schema.CREATE.encode())
            yield connection
    except psycopg.Error as e:
        raise HarnessError(f"a fault could not be put into the database or taken out of it: {e}") from e


def put(connection: psycopg.Connection[Any], table: str, name: str, each: Literal["row", "statement"]) -> None:
    """Let `shaketable.NAME()` run before every insert into the relation."""
    drop(connection, table, name)
    connection.execute(
        sql.SQL("create trigger {} before insert on {} for each {} execute function {}()").format(
            sql.Identifier(f"shaketable_{name}"), relation(table), sql.SQL(each), sql.Identifier("shaketable", name)
        )
    )


def drop(connection: psycopg.Connection[Any], table: str, name: str) -> None:
    """Take it out again; one that is not there is out already.

    DROP TRIGGER locks a partitioned table's partitions before the table, inserts the other way round: without a lock on
    the table beforehand the two would wait for each other in a circle.
    """
    connection.execute(sql.SQL("lock table {} in access exclusive mode").format(relation(table)))
    connection.execute(
        sql.SQL("drop trigger if exists {} on {}").format(sql.Identifier(f"shaketable_{name}"), relation(table))
    )


def refused(connection: psycopg.Connection[Any]) -> list[tuple[str, int]]:
    """How often each poisonous event was refused; none where nothing was poisoned."""
    there = connection.execute("select to_regclass('shaketable.poison') is not null").fetchone()
    if not there or not there[0]:
        return []
    rows = connection.execute("""
        select event_id, coalesce(pg_sequence_last_value(format('shaketable.refused_%s', n)::regclass), 0)
        from shaketable.poison order by n
    """).fetchall()
    return [(event_id, int(count)) for event_id, count in rows]


def relation(name: str) -> sql.Identifier:
    """A relation's name, with its schema or without."""
    return sql.Identifier(*name.split("."))
