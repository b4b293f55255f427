"""The target's transactions deadlock with somebody else's, and are the ones that Postgres gives up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from psycopg import sql

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import sessions, triggers
from shaketable.faults.kinds.repeat import renew
from shaketable.plural import counted

#: The advisory lock of the harness's own that the trigger asks for.
LOCK = 0x7368616B65
#: The harness's session looks for deadlocks so late that the target's does first and is the victim.
NEVER = "1h"
#: Seconds that the harness holds its lock, waiting for somebody to want it.
HOLD_S = 1.0


@dataclass(frozen=True)
class Deadlock(Fault):
    """Every `every_s` seconds a writer to the stored relation deadlocks with a session of the harness.

    A statement trigger asks for a lock that the harness holds, and then the harness for the table, on which the writer
    holds one: each waits for the other. After the server's deadlock_timeout the writer gets 40P01 and may try again.
    """

    every_s: float = 2.0
    kind: ClassVar[str] = "deadlock"
    colour: ClassVar[str] = "#803010"

    def __post_init__(self) -> None:
        if self.every_s <= 0:
            raise ScenarioError(f"expected every_s above 0 s, got {self.every_s:g}")

    @property
    def label(self) -> str:
        return f"a deadlock every {self.every_s:g} s"

    def targets(self, context: FaultContext) -> list[str]:
        return [context.services.relation]

    def inject(self, context: FaultContext) -> None:
        with triggers.admin(context) as connection:
            context.scratch[f"{self.kind}.before"] = sessions.statistic(connection, "deadlocks")
            connection.execute(_FUNCTION)
            triggers.put(connection, context.services.relation, self.kind, "statement")
        context.keep_open(self.kind, renew(self.kind, partial(_collide, context), self.every_s))

    def heal(self, context: FaultContext) -> None:
        try:
            context.release(self.kind)
        finally:
            with triggers.admin(context) as connection:
                triggers.drop(connection, context.services.relation, self.kind)

    def witness(self, context: FaultContext) -> Witness:
        """How many deadlocks this database has seen since the injection (pg_stat_database.deadlocks)."""
        with sessions.admin(context) as connection:
            seen = sessions.statistic(connection, "deadlocks")
        seen -= int(context.scratch.get(f"{self.kind}.before", seen))
        return Witness(seen > 0, seen, "deadlocks", counted(seen, "deadlocks"))


def _collide(context: FaultContext) -> None:
    """Hold the trigger's lock until a session waits for it, then ask for that session's lock. Raises HarnessError."""
    with sessions.admin(context, deadlock_timeout=NEVER) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        deadline = time.monotonic() + HOLD_S
        while not _wanted(connection):
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)
        connection.execute(sql.SQL("lock table {} in share mode").format(triggers.relation(context.services.relation)))


def _wanted(connection: sessions.Connection) -> bool:
    row = connection.execute(
        "select exists (select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))"
    ).fetchone()
    return bool(row and row[0])


_FUNCTION = sql.SQL("""
create or replace function shaketable.deadlock() returns trigger language plpgsql security definer
set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock_shared({lock});
    return null;
end $$
""").format(lock=sql.Literal(LOCK))
