"""A process of the target is asked to end, as at the end of a deployment, and stays away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.fault import Bench, Witness
from shaketable.faults.processes import ProcessFault


@dataclass(frozen=True)
class Terminate(ProcessFault):
    """SIGTERM to `process`, SIGKILL after the manifest's stop_s; it stays away until healing starts it again.

    Healed is only what is ready again, within the manifest's ready_s.
    """

    process: str
    kind: ClassVar[str] = "terminate"
    colour: ClassVar[str] = "#605080"

    @property
    def label(self) -> str:
        return f"{self.process} terminated"

    def inject(self, bench: Bench) -> None:
        self.note_held(bench)
        self.in_turn(bench, bench.stop)

    def heal(self, bench: Bench) -> None:
        self.settle(bench)
        self.start_missing(bench)

    def witness(self, bench: Bench) -> Witness:
        """The kernel knows none of the processes any more; beside it, what they held when they were asked."""
        found = bench.instances(self.process)
        gone = [name for name in found if not bench.is_alive(name)]
        told = f"{', '.join(gone) or 'none'} gone, {self.held(bench)}"
        return Witness(len(gone) == len(found), len(gone), "processes gone", told)
