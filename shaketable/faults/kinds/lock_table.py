"""Somebody holds a lock on the table that events are stored in, as a careless migration does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from psycopg import sql

from shaketable.errors import HarnessError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import sessions, triggers
from shaketable.plural import counted


@dataclass(frozen=True)
class LockTable(Fault):
    """A session of the harness locks the stored relation: `share` blocks writers, `access exclusive` readers too.

    Getting the lock waits for the target's open transactions, at most 5 s.
    """

    mode: Literal["share", "access exclusive"] = "access exclusive"
    kind: ClassVar[str] = "lock_table"
    colour: ClassVar[str] = "#801030"

    @property
    def label(self) -> str:
        return f"table locked ({self.mode})"

    @property
    def blocks_store(self) -> bool:
        return True

    def targets(self, context: FaultContext) -> list[str]:
        return [context.services.relation]

    def inject(self, context: FaultContext) -> None:
        try:
            holder = sessions.connect(context.services.admin_url, autocommit=False)
        except sessions.Error as e:
            raise HarnessError(f"no session to lock {context.services.relation} with: {e}") from e
        context.keep_open(self.kind, holder)
        context.scratch[f"{self.kind}.pid"] = holder.info.backend_pid
        relation = triggers.relation(context.services.relation)
        try:
            holder.execute(sql.SQL("lock table {} in {} mode").format(relation, sql.SQL(self.mode)))
        except sessions.Error as e:
            raise HarnessError(f"{context.services.relation} could not be locked within {sessions.ASK_S} s: {e}") from e

    def heal(self, context: FaultContext) -> None:
        context.release(self.kind)

    def witness(self, context: FaultContext) -> Witness:
        """How many sessions of the target wait for the one that holds the lock (pg_blocking_pids)."""
        holder = int(context.scratch.get(f"{self.kind}.pid", 0))
        with sessions.admin(context) as connection:
            waiting = sessions.count(
                connection, sessions.processes(context, None), f"{holder} = any(pg_blocking_pids(pid))"
            )
        return Witness(waiting > 0, waiting, "sessions wait", counted(waiting, "sessions wait for the lock"))
