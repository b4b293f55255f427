"""The wall clock of a process runs fast or slow."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext
from shaketable.faults.kinds.clocks.clock import ClockFault
from shaketable.faults.kinds.repeat import Repeat

#: Seconds between two corrections; a process reads its clock's file once a second.
EVERY_S = 0.25


@dataclass(frozen=True)
class ClockDrift(ClockFault):
    """The wall clock of `process` runs at `rate`: 1.1 gains 0.1 s a second, 0.9 loses as much. Healing sets it right.

    Once a second the clock is set by the time that it has gained or lost, so a slow one is set back each time.
    """

    rate: float = 1.1
    kind: ClassVar[str] = "clock_drift"
    colour: ClassVar[str] = "#ff8cc6"

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 100 or self.rate == 1:
            raise ScenarioError(f"expected a rate above 0, up to 100, and not 1, got {self.rate:g}")

    @property
    def rate_off(self) -> float:
        return self.rate - 1

    @property
    def label(self) -> str:
        return f"{self.process}: clock × {self.rate:g}"

    def inject(self, context: FaultContext) -> None:
        began = time.monotonic()
        clocks = [context.processes.clock(name) for name in context.processes.named(self.process)]

        def turn(_: threading.Event) -> None:
            for clock in clocks:
                clock.move(self.kind, (time.monotonic() - began) * self.rate_off)

        self.note_reads(context)
        context.keep_open(self._key, Repeat(self._key, turn, EVERY_S))
