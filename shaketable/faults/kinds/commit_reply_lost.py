"""The store commits, and the client does not hear of it."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, LiteralString

from psycopg import sql

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import sessions, triggers
from shaketable.faults.kinds.repeat import Repeat
from shaketable.stack.stack import Link

#: The advisory lock that COMMIT waits for: the harness holds it.
LOCK = 0x5348414B45
#: Seconds between two looks at the waiting sessions, and the longest wait for one.
LOOK_S, WAIT_S = 0.01, 1.0
#: Seconds within which a transaction that was let go ends; on a starved machine that takes a while.
ENDED_S = 10.0


@dataclass(frozen=True)
class CommitReplyLost(Fault):
    """Once in `every_s` seconds a COMMIT that stores events succeeds, but its connection breaks before the reply.

    A deferred constraint trigger lets COMMIT wait for a lock of the harness's; the harness finds the waiting session,
    cuts that process's link, and only then lets go. `process` aims at the links of one process, or of all of a kind.
    """

    every_s: float = 1.0
    process: str | None = None
    kind: ClassVar[str] = "commit_reply_lost"
    colour: ClassVar[str] = "#8060a0"

    def __post_init__(self) -> None:
        if not 0.1 <= self.every_s <= 60:
            raise ScenarioError(f"expected every_s from 0.1 to 60 seconds, got {self.every_s:g}: 1 is a start")

    @property
    def label(self) -> str:
        return f"a COMMIT's reply lost every {self.every_s:g} s{f' for {self.process}' if self.process else ''}"

    def targets(self, context: FaultContext) -> list[str]:
        return [context.services.relation, *(link.name for link in context.links.to("postgres", self.process))]

    def inject(self, context: FaultContext) -> None:
        with triggers.admin(context) as connection:
            connection.execute(_FUNCTION)
            triggers.drop(connection, context.services.relation, "hold_commit")
            connection.execute(_TRIGGER.format(triggers.relation(context.services.relation)))
        context.scratch.update({f"{self.kind}.cut": 0.0, f"{self.kind}.committed": 0.0})
        found = {link.process: link for link in context.links.to("postgres", self.process)}
        context.keep_open(self.kind, Repeat(self.kind, partial(self._turn, context, found), self.every_s))

    def heal(self, context: FaultContext) -> None:
        with ExitStack() as steps:  # from the last to the first, each although another fails
            steps.callback(_take_out, context)
            for link in context.links.to("postgres", self.process):
                steps.callback(context.links.toxiproxy.enable, context.links.proxy(link), True)
            steps.callback(context.release, self.kind)

    def witness(self, context: FaultContext) -> Witness:
        """How many transactions were cut off in COMMIT and are committed all the same, according to Postgres."""
        cut, committed = (int(context.scratch.get(f"{self.kind}.{name}", 0)) for name in ("cut", "committed"))
        return Witness(
            committed > 0, committed, "replies lost", f"{committed} of {cut} cut off in COMMIT are committed"
        )

    def _turn(self, context: FaultContext, found: dict[str, Link], stop: threading.Event) -> None:
        with sessions.admin(context) as connection, ExitStack() as mended:
            connection.execute("select pg_advisory_lock(%s)", [LOCK])
            waiting = _await_waiting(connection, list(found), stop)
            for link in [found[process] for process in {process for process, _ in waiting}]:
                mended.callback(context.links.toxiproxy.enable, context.links.proxy(link), True)
                context.links.toxiproxy.enable(context.links.proxy(link), False)
            connection.execute("select pg_advisory_unlock(%s)", [LOCK])
            xids = [xid for _, xid in waiting]
            context.scratch[f"{self.kind}.cut"] += len(xids)
            context.scratch[f"{self.kind}.committed"] += _await_committed(connection, xids)


def _take_out(context: FaultContext) -> None:
    with triggers.admin(context) as connection:
        triggers.drop(connection, context.services.relation, "hold_commit")


def _await_waiting(
    connection: sessions.Connection, processes: list[str], stop: threading.Event
) -> list[tuple[str, str]]:
    """(process, transaction) of those whose COMMIT waits for our lock; none when nobody came in time."""
    deadline = time.monotonic() + WAIT_S
    while not (found := connection.execute(_WAITING, [processes]).fetchall()):
        if stop.wait(LOOK_S) or time.monotonic() > deadline:
            break
    return [(str(process), str(xid)) for process, xid in found]


def _await_committed(connection: sessions.Connection, xids: list[str]) -> int:
    """How many of these transactions committed, once all have ended."""
    deadline = time.monotonic() + ENDED_S
    while True:
        states = [row[0] for row in connection.execute(_STATES, [xids])]
        if "in progress" not in states or time.monotonic() > deadline:
            return states.count("committed")
        time.sleep(LOOK_S)


#: A backend reports the lower half of its transaction's number; the upper one, the epoch, is the snapshot's.
_WAITING: LiteralString = """
select split_part(application_name, '.', 1),
    (((pg_snapshot_xmax(pg_current_snapshot())::text::bigint) >> 32 << 32) + backend_xid::text::bigint)::text
from pg_stat_activity
where pg_backend_pid() = any(pg_blocking_pids(pid)) and backend_xid is not null
    and split_part(application_name, '.', 1) = any(%s)
"""
_STATES: LiteralString = "select pg_xact_status(xid::xid8) from unnest(%s::text[]) as xid"
_FUNCTION = f"""
create or replace function shaketable.hold_commit() returns trigger language plpgsql security definer
set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock_shared({LOCK});
    return null;
end $$
"""
_TRIGGER = sql.SQL(
    "create constraint trigger shaketable_hold_commit after insert on {} deferrable initially deferred "
    "for each row execute function shaketable.hold_commit()"
)
