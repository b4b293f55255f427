"""The machine of a server loses power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable import plural
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds.disks.disk import DiskFault


@dataclass(frozen=True)
class PowerLoss(DiskFault):
    """SIGKILL to the server, then every write that no fsync has covered is undone; healing starts the server again.

    With `torn`, about half of the 4 KiB pages of those writes stay, drawn by `seed`: a disk writes pages in any order.
    Appended pages stay only up to the first one that is lost. All that was written before the load began is durable.
    """

    torn: bool = False
    seed: int = 1
    kind: ClassVar[str] = "power_loss"
    colour: ClassVar[str] = "#2020d4"

    @property
    def label(self) -> str:
        return f"{self.service} loses power{', torn' * self.torn}"

    @property
    def blocks_store(self) -> bool:
        return self.service == "postgres"

    def inject(self, context: FaultContext) -> None:
        disk = self.disk(context)
        sound = not disk.problem()  # while the server runs
        context.services.server(self.service).kill()
        sound = sound and not disk.counters().broken  # it may have failed at the last write
        undone = disk.lose_power(self.seed if self.torn else None)
        self.note(context, sound=sound, undone=undone.writes, files=undone.files, syncs=disk.counters().syncs)

    def heal(self, context: FaultContext) -> None:
        self.bring_back(context)

    def witness(self, context: FaultContext) -> Witness:
        """The kernel knows none of the server's processes, and the library saw every write and sync until then."""
        undone, syncs = self.noted(context, "undone"), int(self.noted(context, "syncs") or 0)
        if undone is None:
            return Witness(False, 0, "writes undone", "the power was not cut")
        gone, sound = not context.services.server(self.service).is_running(), bool(self.noted(context, "sound"))
        files = plural.counted(int(self.noted(context, "files") or 0), "files")
        told = f"{plural.counted(int(undone), 'writes')} undone in {files}, {plural.counted(syncs, 'syncs')} seen"
        if not sound:
            told = f"the disk library was not loaded, or failed: {told}"
        return Witness(gone and sound, undone, "writes undone", told if gone else f"{told}; the server runs")
