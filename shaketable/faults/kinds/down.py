"""A service is gone: every connection to it is refused, or accepted and closed at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.stack.stack import Service


@dataclass(frozen=True)
class Down(links.LinkFault):
    """`service` is unavailable, for all processes or for one.

    `sink` (the default): connections are accepted and closed by a listener of ours, so that every attempt in the outage
    is counted; old ones are cut. `refused`: nobody listens, as when a server's process is gone.
    """

    service: Service
    process: str | None = None
    mode: Literal["sink", "refused"] = "sink"
    kind: ClassVar[str] = "down"
    colour: ClassVar[str] = "#c0392b"

    @property
    def label(self) -> str:
        return f"{self.service} unavailable ({self.mode}){self.whom}"

    @property
    def cuts_off(self) -> bool:
        return True

    def inject(self, context: FaultContext) -> None:
        for link in self.links(context):
            if self.mode == "sink":
                context.links.toxiproxy.aim(context.links.proxy(link), context.links.sink(link))
            else:
                context.links.toxiproxy.enable(context.links.proxy(link), False)

    def heal(self, context: FaultContext) -> None:
        for link in self.links(context):
            if self.mode == "sink":
                context.links.toxiproxy.aim(context.links.proxy(link), str(link.upstream))
            else:
                context.links.toxiproxy.enable(context.links.proxy(link), True)

    def witness(self, context: FaultContext) -> Witness:
        """Connections through the link are refused or closed, while there is an answer past it."""
        return links.witness_how(context, self.links(context), "refused", "closed", "reset")
