"""A process of the target is killed, as the kernel's memory killer or a lost machine would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import FaultContext
from shaketable.faults.kinds.processes import Ending


@dataclass(frozen=True)
class Kill(Ending):
    """SIGKILL to `process` (one instance, or all of a kind) with all it started; healing starts it again.

    Healing waits until it is ready, at most the manifest's ready_s.
    """

    process: str
    kind: ClassVar[str] = "kill"
    colour: ClassVar[str] = "#7d3c98"

    @property
    def label(self) -> str:
        return f"{self.process} killed"

    def inject(self, context: FaultContext) -> None:
        self.note_held(context)
        for instance in context.processes.named(self.process):
            context.processes.kill(instance)
