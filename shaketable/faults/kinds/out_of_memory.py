"""The queue's server has no memory left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable import plural
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import valkey

#: Bytes: less than it holds at any time.
NOTHING_LEFT = "1"


@dataclass(frozen=True)
class OutOfMemory(valkey.ValkeyFault):
    """maxmemory is below what Valkey holds: with noeviction every write that takes memory is refused (OOM).

    With any other policy keys are evicted instead, queues included, and only what then remains is refused.
    """

    kind: ClassVar[str] = "out_of_memory"
    colour: ClassVar[str] = "#a06050"

    @property
    def label(self) -> str:
        return "redis out of memory"

    def inject(self, context: FaultContext) -> None:
        with valkey.admin(context) as client:
            context.notes[f"{self.kind}.maxmemory"] = float(valkey.setting(client, "maxmemory"))
            context.notes[f"{self.kind}.refused"], context.notes[f"{self.kind}.evicted"] = map(float, _counts(client))
            valkey.set_(client, "maxmemory", NOTHING_LEFT)

    def heal(self, context: FaultContext) -> None:
        before = context.notes.pop(f"{self.kind}.maxmemory", None)
        if before is not None:
            with valkey.admin(context) as client:
                valkey.set_(client, "maxmemory", f"{before:.0f}")

    def witness(self, context: FaultContext) -> Witness:
        """Writes refused with OOM (INFO errorstats) and keys evicted since the injection."""
        with valkey.admin(context) as client:
            refused, evicted = _counts(client)
        refused -= int(context.notes.get(f"{self.kind}.refused", refused))
        evicted -= int(context.notes.get(f"{self.kind}.evicted", evicted))
        told = f"{plural.counted(refused, 'writes')} refused, {plural.counted(evicted, 'keys')} evicted"
        return Witness(refused + evicted > 0, refused + evicted, "writes refused or keys evicted", told)


def _counts(client: valkey.Client) -> tuple[int, int]:
    """Commands answered with OOM, and keys evicted, since the server's start."""
    errors, stats = client.info("errorstats"), client.info("stats")
    return int(errors.get("errorstat_OOM", {}).get("count", 0)), int(stats["evicted_keys"])
