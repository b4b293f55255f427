"""A process of the target is asked to end, as at the end of a deployment, and stays down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import FaultContext
from shaketable.faults.kinds.processes import Ending


@dataclass(frozen=True)
class Terminate(Ending):
    """SIGTERM to `process`, SIGKILL after the manifest's stop_s; it stays down until healing starts it again.

    Healing waits until it is ready, at most the manifest's ready_s.
    """

    process: str
    kind: ClassVar[str] = "terminate"
    colour: ClassVar[str] = "#605080"

    @property
    def label(self) -> str:
        return f"{self.process} terminated"

    def inject(self, context: FaultContext) -> None:
        self.note_held(context)
        self.in_turn(context, context.processes.stop)
