"""Postgres takes no writes, as a standby after a failover to the wrong side, or a server that protects a full disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import sessions, triggers

#: The answer to a write: read_only_sql_transaction.
REFUSED = "25006"


@dataclass(frozen=True)
class ReadOnly(Fault):
    """Every transaction that begins may only read (SQLSTATE 25006 for a write), in old sessions and new ones.

    `default_transaction_read_only` of the whole server: sessions stay, connects and reads succeed.
    """

    kind: ClassVar[str] = "read_only"
    colour: ClassVar[str] = "#a09050"

    @property
    def label(self) -> str:
        return "postgres read-only"

    @property
    def blocks_store(self) -> bool:
        return True

    def targets(self, context: FaultContext) -> list[str]:
        context.services.server("postgres")
        return [context.services.relation]

    def inject(self, context: FaultContext) -> None:
        with sessions.admin(context) as connection:
            connection.execute("alter system set default_transaction_read_only = on")
            connection.execute("select pg_reload_conf()")

    def heal(self, context: FaultContext) -> None:
        with sessions.admin(context) as connection:
            connection.execute("alter system reset default_transaction_read_only")
            connection.execute("select pg_reload_conf()")

    def witness(self, context: FaultContext) -> Witness:
        """A write of no row, as the target's role in a session of its own, is refused with 25006."""
        told = _write(context)
        return Witness(told == REFUSED, float(told == REFUSED), "write refused", f"a write: {told}")


def _write(context: FaultContext) -> str:
    """The SQLSTATE of a write that changes nothing, or "taken"."""
    try:
        url = context.services.owner_url
        with libpq.connect(url, connect_timeout=sessions.ASK_S, options="-c lock_timeout=1s") as own:
            own.execute(sql.SQL("delete from {} where false").format(triggers.relation(context.services.relation)))
    except psycopg.Error as e:
        return e.sqlstate or "no session"
    return "taken"
