"""A service answers late."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults import round_trip
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.faults.kinds.links import Toxic
from shaketable.stack.stack import Link, Service

#: Milliseconds: the witness must wait for as long, and meanwhile no other fault is put in or healed.
LONGEST = 10_000
#: From so many on an intake that waits for the queue cannot answer in time.
BLOCKS = 1000


@dataclass(frozen=True)
class Latency(links.ToxicFault):
    """Every answer of `service` comes `ms` milliseconds later (downstream, no jitter); 0 would be no fault."""

    service: Service
    ms: int
    process: str | None = None
    kind: ClassVar[str] = "latency"
    colour: ClassVar[str] = "#d68910"

    def __post_init__(self) -> None:
        if self.ms <= 0:
            raise ScenarioError(f"expected a latency of at least 1 ms, got {self.ms}: leave the fault out instead")
        if self.ms > LONGEST:
            raise ScenarioError(f"expected a latency of at most {LONGEST} ms, got {self.ms}: Silence never answers")

    @property
    def label(self) -> str:
        return f"{self.service} +{self.ms} ms{self.whom}"

    def blocks_intake(self, context: FaultContext) -> bool:
        return self.ms >= BLOCKS and super().blocks_intake(context)

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        return (Toxic("latency", {"latency": self.ms, "jitter": 0}),)

    def witness(self, context: FaultContext) -> Witness:
        """The exchange through the link takes at least half of `ms` longer than the one past it."""
        timed = partial(_round_trip_ms, within_s=self.ms / 1000 + round_trip.TIMEOUT_S)
        return links.witness(self.links(context), links.slower(self.ms / 2), timed)


def _round_trip_ms(link: Link, through: bool, within_s: float) -> float | None:
    """The context's exchange waits for less than such a latency may be."""
    return round_trip.round_trip_ms(link.service, link.listen if through else link.past, within_s, link.probe)
