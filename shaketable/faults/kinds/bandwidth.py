"""A link is narrow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.faults.kinds.links import Toxic
from shaketable.stack.stack import Service

#: Seconds that the harness's own transfer takes over a link of that width.
SAMPLE_S = 0.25


@dataclass(frozen=True)
class Bandwidth(links.ToxicFault):
    """No more than `kb_s` kilobytes a second pass, each way; 0 would be a stall: that is Silence."""

    service: Service
    kb_s: int
    process: str | None = None
    kind: ClassVar[str] = "bandwidth"
    colour: ClassVar[str] = "#a03040"

    def __post_init__(self) -> None:
        if self.kb_s < 1:
            raise ScenarioError(f"expected a bandwidth of at least 1 kB/s, got {self.kb_s}: Silence lets nothing pass")

    @property
    def label(self) -> str:
        return f"{self.service} at {self.kb_s} kB/s{self.whom}"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        rate = {"rate": self.kb_s}
        return Toxic("bandwidth", rate, "upstream"), Toxic("bandwidth", rate)

    def witness(self, context: FaultContext) -> Witness:
        """A transfer through the link takes at least half as long as this bandwidth implies; one past it does not."""
        kilobytes = max(1, round(self.kb_s * SAMPLE_S))
        timed = partial(context.links.transfer_ms, kilobytes=kilobytes)
        return links.witness(self.links(context), links.slower(kilobytes / self.kb_s * 1000 / 2), timed)
