"""A process of the target is frozen, as by a long collection, a full disk or a live migration, and wakes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds.processes import ProcessFault


@dataclass(frozen=True)
class Pause(ProcessFault):
    """SIGSTOP to `process` (one instance, or all of a kind) with all it started; healing lets it go on (SIGCONT).

    Its connections stay open and its locks stay held: for everybody else it is silent, not gone. When it wakes it
    takes no notice of the time that passed.
    """

    process: str
    kind: ClassVar[str] = "pause"
    colour: ClassVar[str] = "#2e86c1"

    @property
    def label(self) -> str:
        return f"{self.process} frozen"

    @property
    def freezes(self) -> bool:
        return True

    def inject(self, context: FaultContext) -> None:
        for instance in self.alive(context):
            context.processes.pause(instance)
        self.note_held(context)  # after the pause: a frozen process changes nothing

    def heal(self, context: FaultContext) -> None:
        for instance in context.processes.named(self.process):
            context.processes.resume(instance)

    def witness(self, context: FaultContext) -> Witness:
        """The kernel reports every thread of them as stopped; the text names the locks and events that they hold."""
        found = context.processes.named(self.process)
        frozen = [name for name in found if context.processes.is_frozen(name)]
        told = f"{', '.join(frozen) or 'none'} frozen, {self.held(context)}"
        return Witness(len(frozen) == len(found), len(frozen), "processes frozen", told)
