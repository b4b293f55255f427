"""Connections break after so much data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.faults.kinds.links import Toxic
from shaketable.stack.stack import Service


@dataclass(frozen=True)
class LimitData(links.ToxicFault):
    """Every connection is closed once `kilobytes` were sent over it to the service: in the middle of a message."""

    service: Service
    kilobytes: int = 32
    process: str | None = None
    kind: ClassVar[str] = "limit_data"
    colour: ClassVar[str] = "#604010"

    def __post_init__(self) -> None:
        if self.kilobytes < 1:
            raise ScenarioError(f"expected a limit of at least 1 kB, got {self.kilobytes}: Down lets nothing pass")

    @property
    def label(self) -> str:
        return f"{self.service} cut after {self.kilobytes} kB{self.whom}"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        return (Toxic("limit_data", {"bytes": self.kilobytes * 1000}, "upstream"),)

    def witness(self, context: FaultContext) -> Witness:
        """A transfer of twice that much breaks off through the link, and does not past it."""
        timed = partial(context.links.transfer_ms, kilobytes=2 * self.kilobytes)
        return links.witness(self.links(context), links.silent, timed)
