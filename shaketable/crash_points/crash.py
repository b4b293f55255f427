"""The fault of a crash point: a process is broken at the first message of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.crash_points.point import How, Point, When
from shaketable.crash_points.relay import Relay, Then, Trap
from shaketable.crash_points.relayed import relay_of
from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds.processes import Ending


@dataclass(frozen=True)
class CrashPoint(Ending):
    """The first message of its kind, since the injection, springs it.

    kill: SIGKILL; the message, or the reply, is lost with the process. term: SIGTERM, and the message passes. cut: the
    connection is reset. freeze: SIGSTOP; a message before which it froze reaches the service once it goes on. Healing
    starts a process that has ended, and waits until it is ready.
    """

    process: str
    service: str
    message: str
    when: When
    how: How = "kill"
    kind: ClassVar[str] = "crash_point"
    colour: ClassVar[str] = "#7d3c98"

    @property
    def point(self) -> Point:
        return Point(self.process, self.service, self.message, self.when)

    @property
    def label(self) -> str:
        return self.point.told(self.how)

    @property
    def freezes(self) -> bool:
        return self.how == "freeze"

    def inject(self, context: FaultContext) -> None:
        trap = Trap(self.point, partial(self._spring, context))
        context.scratch[self._landed] = 0.0
        self._relay(context).arm(trap)

    def heal(self, context: FaultContext) -> None:
        resume = partial(context.processes.resume, self.process)
        self._relay(context).disarm(*([resume] if self.freezes else []))
        if self.how in ("kill", "term"):
            super().heal(context)

    def witness(self, context: FaultContext) -> Witness:
        """Whether the message came, and the process was broken at it."""
        landed = context.scratch.get(self._landed, 0.0)
        return Witness(bool(landed), landed, "messages met", "reached" if landed else "the message did not come")

    @property
    def _landed(self) -> str:
        return f"{self._key}.landed"

    def _relay(self, context: FaultContext) -> Relay:
        for link in context.links.to(self.service, self.process):
            if (relay := relay_of(link)) is not None:
                return relay
        raise ScenarioError(f"no relay reads the messages of {self.process}: `shaketable crashpoints` plays this fault")

    def _spring(self, context: FaultContext) -> Then:
        """In the relay's thread: the message waits."""
        context.scratch[f"{self._key}.met"] = context.scratch[self._landed] = 1.0
        if self.how == "kill":
            context.processes.kill(self.process)
        elif self.how == "term":
            self.in_turn(context, context.processes.stop)
        elif self.how == "freeze":
            context.processes.pause(self.process)
            return Then.HOLD if self.when == "before" else Then.PASS
        return Then.PASS if self.how == "term" else Then.DROP
