"""The crash of a server: the parts that both servers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.stack.stack import Service


@dataclass(frozen=True)
class Crash(Fault):
    """SIGKILL to all of a server at once; it stays down, with its data on disk, until healing starts it again."""

    service: ClassVar[Service]

    @property
    def label(self) -> str:
        return f"{self.service} crashed"

    def targets(self, context: FaultContext) -> list[str]:
        context.services.server(self.service)
        return [link.name for link in context.links.to(self.service)]

    def inject(self, context: FaultContext) -> None:
        context.services.server(self.service).kill()

    def heal(self, context: FaultContext) -> None:
        context.services.server(self.service).bring_back()

    def witness(self, context: FaultContext) -> Witness:
        """The kernel knows none of the server's processes any more, and nothing answers past the links."""
        running = context.services.server(self.service).is_running()
        answer_ms = context.links.round_trip_ms(context.links.to(self.service)[0], through=False)
        told = f"{'running' if running else 'no process'}, {'no answer' if answer_ms is None else 'answering'}"
        gone = not running and answer_ms is None
        return Witness(gone, float(gone), "server gone", told)
