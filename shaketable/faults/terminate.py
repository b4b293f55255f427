"""A process of the target is asked to end, as at the end of a deployment, and stays away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.fault import Bench, Witness
from shaketable.faults.processes import ProcessFault


@dataclass(frozen=True)
class Terminate(ProcessFault):
    """SIGTERM to `process`, SIGKILL after the manifest's stop_s; it stays away until healing starts it again.

    Healing waits until it is ready, at most the manifest's ready_s.
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
        try:
            self.settle(bench)
        finally:
            self.start_missing(bench)

    def witness(self, bench: Bench) -> Witness:
        """There were some, and the kernel knows none any more; beside it, what they held when they were asked."""
        return self.gone(bench)
