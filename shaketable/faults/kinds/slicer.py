"""Data arrives in crumbs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults import throughput
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.faults.kinds.links import Toxic
from shaketable.stack.stack import Service

#: Slices of the harness's own transfer: with a millisecond between them 200 ms each way, more than a busy machine adds.
SAMPLE = 200
#: Milliseconds of delay, there and back, that leave the transfer enough time: a slower one would look cut off.
LONGEST_MS = 1000 * throughput.TIMEOUT_S / 2


@dataclass(frozen=True)
class Slicer(links.ToxicFault):
    """Data is cut into slices of `bytes_` bytes, `delay_us` microseconds apart, each way.

    It shows programs that take one read for one message, or that have no time-out for a whole answer.
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
        if 2 * self._delays_ms > LONGEST_MS:
            raise ScenarioError(
                f"slices of {self.bytes_} B, {self.delay_us} µs apart, would let the harness's own transfer take "
                f"{2 * self._delays_ms / 1000:.1f} s, more than {LONGEST_MS / 1000:g}: make them larger or less apart"
            )

    @property
    def label(self) -> str:
        return f"{self.service} in slices of {self.bytes_} B{self.whom}"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        slices = {"average_size": self.bytes_, "size_variation": 0, "delay": self.delay_us}
        return Toxic("slicer", slices, "upstream"), Toxic("slicer", slices)

    def witness(self, context: FaultContext) -> Witness:
        """A transfer there and back takes longer than one past the link by half of its slices' delays at least."""
        timed = partial(context.links.transfer_ms, kilobytes=self._kilobytes)
        return links.witness(self.links(context), links.slower(self._delays_ms), timed)

    @property
    def _kilobytes(self) -> int:
        return max(1, round(SAMPLE * self.bytes_ / 1000))

    @property
    def _delays_ms(self) -> float:
        """Of all slices of that transfer, one way."""
        return self._kilobytes * 1000 / self.bytes_ * self.delay_us / 1000
