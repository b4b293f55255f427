"""A process of the target is killed, as the kernel's memory killer or a lost machine would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.fault import Bench, Fault, Witness


@dataclass(frozen=True)
class Kill(Fault):
    """SIGKILL to `process` (one instance, or all of a kind) with all it started; healing starts it again."""

    process: str
    kind: ClassVar[str] = "kill"
    colour: ClassVar[str] = "#7d3c98"

    @property
    def label(self) -> str:
        return f"{self.process} killed"

    @property
    def blocks_intake(self) -> bool:
        return self.process == "ingest"

    def aims(self, bench: Bench) -> list[str]:
        return bench.instances(self.process)

    def inject(self, bench: Bench) -> None:
        for instance in bench.instances(self.process):
            bench.kill(instance)

    def heal(self, bench: Bench) -> None:
        for instance in bench.instances(self.process):
            if not bench.is_alive(instance):
                bench.start(instance)

    def witness(self, bench: Bench) -> Witness:
        """The kernel knows none of the processes any more."""
        found = bench.instances(self.process)
        gone = [name for name in found if not bench.is_alive(name)]
        return Witness(len(gone) == len(found), len(gone), "processes gone", ", ".join(gone) or "none is gone")
