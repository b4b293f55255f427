"""Data arrives in crumbs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.fault import Bench, Witness
from shaketable.faults import links
from shaketable.faults.links import Toxic
from shaketable.stack import Service

#: Slices of the harness's own transfer.
SAMPLE = 64


@dataclass(frozen=True)
class Slicer(links.ToxicFault):
    """What passes is cut into slices of `bytes_` bytes, `delay_us` microseconds apart, each way.

    Whoever takes one read for one message, or gives a connection a time-out an answer, is found out.
    """

    service: Service
    bytes_: int = 64
    delay_us: int = 1000
    process: str | None = None
    kind: ClassVar[str] = "slicer"
    colour: ClassVar[str] = "#206050"

    def __post_init__(self) -> None:
        if self.bytes_ < 1 or self.delay_us < 1:
            raise ScenarioError(
                f"expected slices of at least 1 byte and 1 µs apart, got {self.bytes_} and {self.delay_us}"
            )

    @property
    def label(self) -> str:
        return f"{self.service} in slices of {self.bytes_} B{self.whom}"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        slices = {"average_size": self.bytes_, "size_variation": 0, "delay": self.delay_us}
        return Toxic("slicer", slices, "upstream"), Toxic("slicer", slices)

    def witness(self, bench: Bench) -> Witness:
        """A transfer of the harness's own takes at least half of its slices' delays longer than one past the link."""
        kilobytes = max(1, round(SAMPLE * self.bytes_ / 1000))
        delays_ms = kilobytes * 1000 / self.bytes_ * self.delay_us / 1000
        timed = partial(bench.transfer_ms, kilobytes=kilobytes)
        return links.witness(self.links(bench), links.slower(delays_ms / 2), timed)
