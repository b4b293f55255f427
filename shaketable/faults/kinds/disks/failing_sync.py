"""The disk of a server fails its syncs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable import plural
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds.disks.disk import DiskFault


@dataclass(frozen=True)
class FailingSync(DiskFault):
    """Every fsync and fdatasync of the server fails with EIO while the fault lasts.

    PostgreSQL panics, and so does its recovery, which must sync too; it then hangs or ends. Valkey with `appendfsync
    always` ends; with `everysec` it refuses writes. Healing restarts the server, as an operator would.
    """

    limits: ClassVar[str] = f"""{DiskFault.limits}
- No write is lost: a later sync that succeeds covers these writes, too. On Linux it may not: a server that goes on
  after EIO may lose them there, and is not blamed here."""
    kind: ClassVar[str] = "failing_sync"
    colour: ClassVar[str] = "#d420d4"

    @property
    def label(self) -> str:
        return f"{self.service}: syncs fail"

    @property
    def blocks_store(self) -> bool:
        return self.service == "postgres"

    def inject(self, context: FaultContext) -> None:
        disk = self.disk(context)
        self.note(context, failed=disk.counters().failed, active=True)
        disk.fail(True)

    def heal(self, context: FaultContext) -> None:
        self.disk(context).fail(False)
        if context.scratch.get(f"{self.kind}.{self.service}.active"):
            context.services.server(self.service).kill()
            self.bring_back(context)
            del context.scratch[f"{self.kind}.{self.service}.active"]  # last: a failed heal is tried again

    def witness(self, context: FaultContext) -> Witness:
        """Syncs that failed since the injection."""
        disk = self.disk(context)
        failed = disk.counters().failed - int(self.noted(context, "failed") or 0)
        problem = disk.problem()
        told = problem or f"{plural.counted(failed, 'syncs')} failed with EIO"
        return Witness(failed > 0 and not problem, failed, "syncs failed", told)
