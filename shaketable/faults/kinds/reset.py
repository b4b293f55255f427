"""Connections are reset: the peer answers with RST in the middle of a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.faults.kinds.links import Toxic
from shaketable.stack.stack import Service


@dataclass(frozen=True)
class Reset(links.ToxicFault):
    """Every connection to `service` is reset (RST) as soon as something passes over it.

    Toxiproxy resets only connections that are opened while the toxic is there; those that are older are cut first, so
    that their owners come back and meet it.
    """

    service: Service
    process: str | None = None
    kind: ClassVar[str] = "reset"
    colour: ClassVar[str] = "#e01040"

    @property
    def label(self) -> str:
        return f"{self.service} resets{self.whom}"

    @property
    def cuts_off(self) -> bool:
        return True

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        return (Toxic("reset_peer", {"timeout": 0}),)

    def inject(self, context: FaultContext) -> None:
        super().inject(context)
        links.cut(context, self.links(context))

    def witness(self, context: FaultContext) -> Witness:
        """An exchange through the link ends with a reset, while there is an answer past it."""
        return links.witness_how(context, self.links(context), "reset")
