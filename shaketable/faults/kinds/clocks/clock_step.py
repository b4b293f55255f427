"""The wall clock of a process jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext
from shaketable.faults.kinds.clocks.clock import ClockFault

#: Seconds: ten years, as with a clock whose battery is empty.
MOST_S = 10 * 365 * 86_400
#: Units of the label: the largest of which the step has a whole number.
_UNITS = {"d": 86_400, "h": 3600, "min": 60, "s": 1}


@dataclass(frozen=True)
class ClockStep(ClockFault):
    """The wall clock of `process` jumps by `by_s` seconds: forwards, or backwards if negative. Healing sets it right.

    So does NTP with a clock that is far off, a virtual machine that is resumed or moved, or an operator. A process that
    is started meanwhile has the wrong clock from its start.
    """

    by_s: float
    kind: ClassVar[str] = "clock_step"
    colour: ClassVar[str] = "#8c8cff"

    def __post_init__(self) -> None:
        if not 1 <= abs(self.by_s) <= MOST_S:
            raise ScenarioError(f"expected a step of 1 s to 10 years, forwards or backwards, got {self.by_s:g} s")

    @property
    def label(self) -> str:
        whole = [(self.by_s / size, unit) for unit, size in _UNITS.items() if self.by_s % size == 0]
        number, unit = whole[0] if whole else (self.by_s, "s")
        return f"{self.process}: clock {number:+,g} {unit}"

    def inject(self, context: FaultContext) -> None:
        for name in context.processes.named(self.process):
            context.processes.clock(name).move(self.kind, self.by_s)
        self.note_reads(context)
