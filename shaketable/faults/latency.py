"""A service answers late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.fault import Bench, Fault, Witness
from shaketable.faults import links
from shaketable.stack import Service


@dataclass(frozen=True)
class Latency(Fault):
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
        return f"{self.service} +{self.ms} ms{f' for {self.process}' if self.process else ''}"

    @property
    def blocks_intake(self) -> bool:
        return self.service in ("redis", "ingest")

    def aims(self, bench: Bench) -> list[str]:
        return [link.name for link in bench.links(self.service, self.process)]

    def inject(self, bench: Bench) -> None:
        for link in bench.links(self.service, self.process):
            bench.toxiproxy.add_toxic(bench.proxy(link), self.kind, "latency", {"latency": self.ms, "jitter": 0})

    def heal(self, bench: Bench) -> None:
        for link in bench.links(self.service, self.process):
            bench.toxiproxy.remove_toxic(bench.proxy(link), self.kind)

    def witness(self, bench: Bench) -> Witness:
        """The exchange through the link takes at least half of `ms` longer than the one past it."""
        found = bench.links(self.service, self.process)
        return links.witness(bench, found, self._seen)

    def _seen(self, through: float | None, past: float | None) -> bool:
        return through is not None and past is not None and through - past >= self.ms / 2
