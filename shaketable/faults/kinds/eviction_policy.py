"""The queue's server is set to evict keys that it must not lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import valkey

KEEPS = "noeviction"
NAME = "maxmemory-policy"


@dataclass(frozen=True)
class EvictionPolicy(valkey.ValkeyFault):
    """maxmemory-policy becomes `policy`. Nothing is evicted before memory is short: let `OutOfMemory` follow.

    A processor that keeps its promise takes no more events, and empties its queue while it can.
    """

    policy: str = "allkeys-lru"
    kind: ClassVar[str] = "eviction_policy"
    colour: ClassVar[str] = "#d06030"

    def __post_init__(self) -> None:
        if self.policy == KEEPS:
            raise ScenarioError(f"expected a policy that may evict, got {KEEPS!r}: leave the fault out instead")

    @property
    def label(self) -> str:
        return f"redis may evict ({self.policy})"

    def inject(self, context: FaultContext) -> None:
        with valkey.admin(context) as client:
            valkey.set_(client, NAME, self.policy)

    def heal(self, context: FaultContext) -> None:
        with valkey.admin(context) as client:
            valkey.set_(client, NAME, KEEPS)

    def witness(self, context: FaultContext) -> Witness:
        """The policy in force, as the server reports it."""
        with valkey.admin(context) as client:
            found = valkey.setting(client, NAME)
        return Witness(found == self.policy, float(found == self.policy), "policy in force", f"{NAME} {found}")
