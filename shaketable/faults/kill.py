"""A process of the target is killed, as the kernel's memory killer or a lost machine would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.fault import Bench, Witness
from shaketable.faults.processes import ProcessFault


@dataclass(frozen=True)
class Kill(ProcessFault):
    """SIGKILL to `process` (one instance, or all of a kind) with all it started; healing starts it again.

    Healed is only what is ready again, within the manifest's ready_s.
    """

    process: str
    kind: ClassVar[str] = "kill"
    colour: ClassVar[str] = "#7d3c98"

    @property
    def label(self) -> str:
        return f"{self.process} killed"

    def inject(self, bench: Bench) -> None:
        self.note_held(bench)
        for instance in bench.instances(self.process):
            bench.kill(instance)

    def heal(self, bench: Bench) -> None:
        self.start_missing(bench)

    def witness(self, bench: Bench) -> Witness:
        """The kernel knows none of the processes any more; beside it, what they held when they were killed."""
        found = bench.instances(self.process)
        gone = [name for name in found if not bench.is_alive(name)]
        told = f"{', '.join(gone) or 'none'} gone, {self.held(bench)}"
        return Witness(len(gone) == len(found), len(gone), "processes gone", told)
