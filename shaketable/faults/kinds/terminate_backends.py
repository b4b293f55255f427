"""Somebody ends the target's sessions at the database, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import sessions
from shaketable.faults.kinds.repeat import renew
from shaketable.plural import counted


@dataclass(frozen=True)
class TerminateBackends(Fault):
    """pg_terminate_backend on every session of the target's, or of one `process`, every `every_s` seconds.

    Sessions are known by their application_name; sessions of another name are not hit. Connects succeed.
    """

    process: str | None = None
    every_s: float = 1.0
    kind: ClassVar[str] = "terminate_backends"
    colour: ClassVar[str] = "#906010"

    def __post_init__(self) -> None:
        if self.every_s <= 0:
            raise ScenarioError(f"expected every_s above 0 s, got {self.every_s:g}")

    @property
    def label(self) -> str:
        return f"sessions ended every {self.every_s:g} s{f' for {self.process}' if self.process else ''}"

    def blocks_intake(self, context: FaultContext) -> bool:
        return context.services.queue == "postgres" and context.processes.intake in self.targets(context)

    def targets(self, context: FaultContext) -> list[str]:
        return sessions.processes(context, self.process)

    def inject(self, context: FaultContext) -> None:
        with sessions.admin(context) as connection:
            context.scratch[f"{self._key}.before"] = sessions.statistic(connection, "sessions_killed")
        context.keep_open(self._key, renew(self._key, partial(self._terminate, context), self.every_s))

    def heal(self, context: FaultContext) -> None:
        context.release(self._key)

    def witness(self, context: FaultContext) -> Witness:
        """How many sessions of this database were killed since the injection (pg_stat_database.sessions_killed)."""
        with sessions.admin(context) as connection:
            killed = sessions.statistic(connection, "sessions_killed")
        killed -= int(context.scratch.get(f"{self._key}.before", killed))
        return Witness(killed > 0, killed, "sessions killed", counted(killed, "sessions killed"))

    @property
    def _key(self) -> str:
        return f"{self.kind}.{self.process or ''}"

    def _terminate(self, context: FaultContext) -> None:
        with sessions.admin(context) as connection:
            sessions.terminate(connection, self.targets(context))
