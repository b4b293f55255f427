"""Somebody else takes every connection that Postgres gives away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import psycopg

from shaketable.errors import HarnessError
from shaketable.fault import Bench, Fault, Witness
from shaketable.faults import sessions
from shaketable.faults.repeat import renew

#: Seconds between two looks whether the target has got a session nevertheless.
AGAIN_S = 0.5
#: Times that the target's sessions are ended and the slots filled before the fault counts as injected.
ROUNDS = 10
#: What Postgres says when there are no slots left; a failed connect carries no SQLSTATE (53300).
FULL = ("too many clients", "connection slots are reserved")


class Crowd:
    """Sessions of the harness's own, as the target's role, in every slot that is free to it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._names = sessions.processes(bench, None)
        self._held: list[psycopg.Connection[tuple[object, ...]]] = []
        for _ in range(ROUNDS):
            if not self.push():
                break
        self._again = renew("crowd", self._push_again, AGAIN_S)

    def push(self) -> int:
        """End the target's sessions, for pools hold theirs, and take what is free; returns how many there were."""
        with sessions.admin(self._bench) as connection:
            ended = sessions.terminate(connection, self._names)
        while (one := _session(self._bench)) is not None:  # once the superuser's session above has left its slot
            self._held.append(one)
        return ended

    def _push_again(self) -> None:
        self.push()

    def close(self) -> None:
        """Give them all back."""
        self._again.close()
        while self._held:
            self._held.pop().close()


@dataclass(frozen=True)
class ExhaustConnections(Fault):
    """All connections but those for superusers are taken; the target's own are ended first. A connect gets 53300.

    As many sessions of the harness's as it takes, as the target's role.
    """

    kind: ClassVar[str] = "exhaust_connections"
    colour: ClassVar[str] = "#c01050"

    @property
    def label(self) -> str:
        return "no connection left"

    @property
    def blocks_store(self) -> bool:
        return True

    def aims(self, bench: Bench) -> list[str]:
        bench.server("postgres")
        return sessions.processes(bench, None)

    def inject(self, bench: Bench) -> None:
        bench.hold(self.kind, Crowd(bench))

    def heal(self, bench: Bench) -> None:
        bench.release(self.kind)

    def witness(self, bench: Bench) -> Witness:
        """Whether a connect as the target's role is refused for want of a slot, and how many sessions it has left."""
        try:
            _connect(bench).close()
            told = "taken"
        except psycopg.OperationalError as e:
            told = "refused for want of a slot" if _is_full(e) else "failed"
        with sessions.admin(bench) as connection:
            left = sessions.count(connection, sessions.processes(bench, None))
        refused = told.startswith("refused")
        return Witness(refused, float(refused), "connect refused", f"a connect is {told}, {left} sessions left")


def _session(bench: Bench) -> psycopg.Connection[tuple[object, ...]] | None:
    """One more session, or None when there is no slot. Raises HarnessError when it fails otherwise."""
    try:
        return _connect(bench)
    except psycopg.OperationalError as e:
        if _is_full(e):
            return None
        raise HarnessError(f"a connection could not be taken: {e}") from e


def _connect(bench: Bench) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(bench.owner_url, connect_timeout=sessions.ASK_S)


def _is_full(error: psycopg.OperationalError) -> bool:
    return any(words in str(error) for words in FULL)
