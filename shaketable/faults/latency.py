"""A service answers late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.fault import Bench, Witness
from shaketable.faults import links
from shaketable.faults.links import Toxic
from shaketable.stack import Service


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

    @property
    def label(self) -> str:
        return f"{self.service} +{self.ms} ms{self.whom}"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        return (Toxic("latency", {"latency": self.ms, "jitter": 0}),)

    def witness(self, bench: Bench) -> Witness:
        """The exchange through the link takes at least half of `ms` longer than the one past it."""
        return links.witness(self.links(bench), links.slower(self.ms / 2), bench.round_trip_ms)
