"""The disk of a server is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds.disks.disk import DiskFault


@dataclass(frozen=True)
class DiskFull(DiskFault):
    """Every write that makes a file longer fails with ENOSPC; overwriting works, as on a disk with preallocated files.

    PostgreSQL refuses such statements (53100) and goes on. Valkey with `appendfsync always` ends, and so does
    PostgreSQL when it needs a new WAL segment; healing starts a server that has ended.
    """

    kind: ClassVar[str] = "disk_full"
    colour: ClassVar[str] = "#44bc20"

    @property
    def label(self) -> str:
        return f"{self.service}: disk full"

    def inject(self, context: FaultContext) -> None:
        disk = self.disk(context)
        self.note(context, refused=disk.counters().refused)
        disk.fill(True)

    def heal(self, context: FaultContext) -> None:
        self.disk(context).fill(False)
        if self.noted(context, "refused") is not None:
            self.bring_back(context)

    def witness(self, context: FaultContext) -> Witness:
        """Writes that were answered with ENOSPC since the injection."""
        disk = self.disk(context)
        refused = disk.counters().refused - int(self.noted(context, "refused") or 0)
        problem = disk.problem()
        return Witness(refused > 0 and not problem, refused, "writes refused", problem or f"{refused:,} ENOSPC answers")
