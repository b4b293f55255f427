"""Somebody holds a lock on the table that events are stored in, as a careless migration does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from psycopg import sql

from shaketable.errors import HarnessError
from shaketable.faults.fault import Bench, Fault, Witness
from shaketable.faults.kinds import sessions, triggers


@dataclass(frozen=True)
class LockTable(Fault):
    """A session of the harness locks the stored relation: `share` blocks who writes, `access exclusive` readers too.

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

    def aims(self, bench: Bench) -> list[str]:
        return [bench.relation]

    def inject(self, bench: Bench) -> None:
        try:
            holder = sessions.connect(bench.admin_url, autocommit=False)
        except sessions.Error as e:
            raise HarnessError(f"no session to lock {bench.relation} with: {e}") from e
        bench.hold(self.kind, holder)
        bench.notes[f"{self.kind}.pid"] = holder.info.backend_pid
        try:
            holder.execute(
                sql.SQL("lock table {} in {} mode").format(triggers.relation(bench.relation), sql.SQL(self.mode))
            )
        except sessions.Error as e:
            raise HarnessError(f"{bench.relation} could not be locked within {sessions.ASK_S} s: {e}") from e

    def heal(self, bench: Bench) -> None:
        bench.release(self.kind)

    def witness(self, bench: Bench) -> Witness:
        """How many sessions of the target wait for the one that holds the lock (pg_blocking_pids)."""
        holder = int(bench.notes.get(f"{self.kind}.pid", 0))
        with sessions.admin(bench) as connection:
            waiting = sessions.count(
                connection, sessions.processes(bench, None), f"{holder} = any(pg_blocking_pids(pid))"
            )
        return Witness(waiting > 0, waiting, "sessions wait", f"{waiting} sessions of the target wait for the lock")
