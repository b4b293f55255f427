"""Somebody else takes every connection that Postgres gives away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from shaketable import libpq
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import sessions
from shaketable.faults.kinds.repeat import renew
from shaketable.plural import counted

#: Seconds between two looks whether a slot was given up, and the target got it.
AGAIN_S = 0.5
#: Connections made at once.
ABREAST = 4
#: The message of Postgres when there is no slot left; a failed connect carries no SQLSTATE (53300).
FULL = ("too many clients", "connection slots are reserved")

#: Slots for roles that are no superusers, less those that are taken.
_FREE = """
select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - current_setting('reserved_connections')::int
    - (select count(*) from pg_stat_activity where backend_type = 'client backend')
"""


class Crowd:
    """Sessions of the harness's own in every slot that the target could have, for as long as it is open."""

    def __init__(self, context: FaultContext) -> None:
        self._context, self._held = context, list[sessions.Connection]()
        self._again = renew("crowd", self._push, AGAIN_S)

    def _push(self) -> None:
        """End the target's sessions, because pools hold theirs, and take every free slot."""
        with sessions.admin(self._context) as connection:
            sessions.terminate(connection, sessions.processes(self._context, None))
            row = connection.execute(_FREE).fetchone()
            free = int(row[0]) + 1 if row else 0  # with the slot of this very session, which ends
            with ThreadPoolExecutor(ABREAST) as pool:
                self._held += pool.map(sessions.connect, [self._context.services.admin_url] * free)

    def close(self) -> None:
        """Give them all back."""
        try:
            self._again.close()
        finally:
            while self._held:
                self._held.pop().close()


@dataclass(frozen=True)
class ExhaustConnections(Fault):
    """All connections but those reserved for superusers are taken; the target's own are ended first.

    A connect gets 53300. While the slots are taken, which is some seconds, the target's role may not connect at all.
    """

    kind: ClassVar[str] = "exhaust_connections"
    colour: ClassVar[str] = "#c01050"

    @property
    def label(self) -> str:
        return "no connection left"

    @property
    def blocks_store(self) -> bool:
        return True

    def targets(self, context: FaultContext) -> list[str]:
        context.services.server("postgres")
        return sessions.processes(context, None)

    def inject(self, context: FaultContext) -> None:
        _limit(context, 0)
        context.keep_open(self.kind, Crowd(context))
        _limit(context, -1)

    def heal(self, context: FaultContext) -> None:
        try:
            context.release(self.kind)
        finally:
            _limit(context, -1)

    def witness(self, context: FaultContext) -> Witness:
        """Whether a connect as the target's role is refused for want of a slot, and how many sessions it has left."""
        told = _connected(context)
        with sessions.admin(context) as connection:
            left = sessions.count(connection, sessions.processes(context, None))
        refused = told == "refused for want of a slot"
        text = f"a connect is {told}, {counted(left, 'sessions')} left"
        return Witness(refused, float(refused), "connect refused", text)


def _limit(context: FaultContext, most: int) -> None:
    """How many sessions the target's role may have; -1 is any number."""
    role = str(conninfo_to_dict(context.services.owner_url)["user"])
    with sessions.admin(context) as connection:
        connection.execute(sql.SQL("alter role {} connection limit {}").format(sql.Identifier(role), sql.Literal(most)))


def _connected(context: FaultContext) -> str:
    """The result of a connect as the target's role."""
    try:
        libpq.connect(context.services.owner_url, connect_timeout=sessions.ASK_S).close()
    except psycopg.OperationalError as e:
        return "refused for want of a slot" if any(words in str(e) for words in FULL) else "refused otherwise"
    return "taken"
