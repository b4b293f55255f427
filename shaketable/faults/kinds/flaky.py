"""A link comes and goes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable import plural
from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.faults.kinds.repeat import Repeat
from shaketable.stack.stack import Link, Service


@dataclass(frozen=True)
class Flaky(links.LinkFault):
    """`service` refuses for `down_ms`, then works for `up_ms`, in turn; each time all open connections are cut."""

    service: Service
    down_ms: int = 300
    up_ms: int = 700
    process: str | None = None
    kind: ClassVar[str] = "flaky"
    colour: ClassVar[str] = "#d08060"

    def __post_init__(self) -> None:
        if self.down_ms < 50 or self.up_ms < 50:
            raise ScenarioError(
                f"expected down_ms and up_ms of at least 50, got {self.down_ms} and {self.up_ms}: nobody would see it"
            )

    @property
    def label(self) -> str:
        return f"{self.service} flaky ({self.down_ms} ms down, {self.up_ms} ms up){self.whom}"

    def inject(self, context: FaultContext) -> None:
        found = self.links(context)
        context.scratch.update({f"{self._key}.{state}": 0.0 for state in ("gone", "back")})
        context.keep_open(self._key, Repeat(self._key, partial(self._turn, context, found)))

    def _turn(self, context: FaultContext, found: list[Link], stop: threading.Event) -> None:
        """Away and back; each is seen by exchanges of the harness's own, on all of the links."""
        for on, state, ms in ((False, "gone", self.down_ms), (True, "back", self.up_ms)):
            for link in found:
                context.links.toxiproxy.enable(context.links.proxy(link), on)
            seen = all(
                through.how == ("answered" if on else "refused") for through, _ in links.both(found, context.links.ping)
            )
            context.scratch[f"{self._key}.{state}"] += seen
            stop.wait(ms / 1000)

    def heal(self, context: FaultContext) -> None:
        try:
            context.release(self._key)
        finally:
            for link in self.links(context):
                context.links.toxiproxy.enable(context.links.proxy(link), True)

    def witness(self, context: FaultContext) -> Witness:
        """How often it was seen to be gone since the injection, and that it came back."""
        gone, back = (int(context.scratch.get(f"{self._key}.{state}", 0)) for state in ("gone", "back"))
        told = f"seen gone {plural.counted(gone, 'times')} and back {plural.counted(back, 'times')}"
        return Witness(gone > 0 and back > 0, gone, "absences", told)

    @property
    def _key(self) -> str:
        return f"{self.kind}.{self.service}.{self.process or 'all'}"
