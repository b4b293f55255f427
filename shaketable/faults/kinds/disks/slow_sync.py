"""The disk of a server syncs slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable import plural
from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds.disks.disk import DiskFault

#: From so many milliseconds on an intake that waits for the queue's sync cannot answer in time.
BLOCKS = 1000


@dataclass(frozen=True)
class SlowSync(DiskFault):
    """Every fsync and fdatasync of the server takes `ms` milliseconds longer, as on a busy or throttled disk."""

    ms: int = 500
    kind: ClassVar[str] = "slow_sync"
    colour: ClassVar[str] = "#d4bcd4"

    def __post_init__(self) -> None:
        if not 1 <= self.ms <= 10_000:
            raise ScenarioError(f"expected syncs that take 1 to 10,000 ms longer, got {self.ms}")

    @property
    def label(self) -> str:
        return f"{self.service}: syncs +{self.ms} ms"

    def blocks_intake(self, context: FaultContext) -> bool:
        return self.ms >= BLOCKS and super().blocks_intake(context)

    def inject(self, context: FaultContext) -> None:
        disk = self.disk(context)
        self.note(context, delayed=disk.counters().delayed)
        disk.slow(self.ms)

    def heal(self, context: FaultContext) -> None:
        self.disk(context).slow(0)

    def witness(self, context: FaultContext) -> Witness:
        """Syncs that waited since the injection."""
        disk = self.disk(context)
        delayed = disk.counters().delayed - int(self.noted(context, "delayed") or 0)
        problem = disk.problem()
        told = problem or f"{plural.counted(delayed, 'syncs')} delayed by {self.ms} ms"
        return Witness(delayed > 0 and not problem, delayed, "syncs delayed", told)
