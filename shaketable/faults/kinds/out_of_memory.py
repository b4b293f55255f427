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
    """maxmemory is below the memory in use: with noeviction every write that takes memory is refused (OOM).

    With any other policy keys are evicted instead, queues included, and a write is refused only if that is not enough.
    """

    kind: ClassVar[str] = "out_of_memory"
    colour: ClassVar[str] = "#a06050"

    @property
    def label(self) -> str:
        return "redis out of memory"

    def inject(self, context: FaultContext) -> None:
        with valkey.admin(context) as client:
            context.scratch[f"{self.kind}.maxmemory"] = float(valkey.setting(client, "maxmemory"))
            refused, evicted = _counts(client)
            context.scratch[f"{self.kind}.refused"], context.scratch[f"{self.kind}.evicted"] = (
                float(refused),
                float(evicted),
            )
            valkey.set_(client, "maxmemory", NOTHING_LEFT)

    def heal(self, context: FaultContext) -> None:
        before = context.scratch.get(f"{self.kind}.maxmemory")
        if before is not None:
            with valkey.admin(context) as client:
                valkey.set_(client, "maxmemory", f"{before:.0f}")
            del context.scratch[f"{self.kind}.maxmemory"]  # last: a failed heal is tried again

    def witness(self, context: FaultContext) -> Witness:
        """Writes refused with OOM (INFO errorstats) and keys evicted since the injection."""
        with valkey.admin(context) as client:
            refused, evicted = _counts(client)
        refused -= int(context.scratch.get(f"{self.kind}.refused", refused))
        evicted -= int(context.scratch.get(f"{self.kind}.evicted", evicted))
        told = f"{plural.counted(refused, 'writes')} refused, {plural.counted(evicted, 'keys')} evicted"
        return Witness(refused + evicted > 0, refused + evicted, "writes refused or keys evicted", told)


def _counts(client: valkey.Client) -> tuple[int, int]:
    """Commands answered with OOM, and keys evicted, since the server's start."""
    errors, stats = client.info("errorstats"), client.info("stats")
    return int(errors.get("errorstat_OOM", {}).get("count", 0)), int(stats["evicted_keys"])
