"""A link swallows all data: connections stay open, and nothing arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links
from shaketable.faults.kinds.links import Toxic
from shaketable.faults.round_trip import PingResult
from shaketable.stack.stack import Service

#: Milliseconds without a byte after which the end of a connection is that of a client that was not heard.
STILL_MS = 1000


@dataclass(frozen=True)
class Silence(links.ToxicFault):
    """Nothing passes between `service` and the target, as behind a firewall that drops: no error, no end, no answer.

    `both` directions, or only the `answers`: then the service executes each request, and its reply is lost. When it
    is healed the connections that were silent are closed (Toxiproxy does so, since their streams have holes).
    """

    service: Service
    process: str | None = None
    direction: Literal["both", "answers"] = "both"
    kind: ClassVar[str] = "silence"
    colour: ClassVar[str] = "#34495e"

    @property
    def label(self) -> str:
        what = "silent" if self.direction == "both" else "answers swallowed"
        return f"{self.service} {what}{self.whom}"

    @property
    def cuts_off(self) -> bool:
        return self.direction == "both"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        answers, requests = Toxic("timeout", {"timeout": 0}), Toxic("timeout", {"timeout": 0}, "upstream")
        return (requests, answers) if self.direction == "both" else (answers,)

    def witness(self, context: FaultContext) -> Witness:
        """Through the link no answer within the 2 s that an exchange may take, an answer past it.

        The end of a connection passes a silent link. It counts where only answers are swallowed, for a service that
        hangs up after its answer; else if nothing came for 1 s before it, for one that hangs up on silent clients.
        """
        return links.witness_when(context, self.links(context), self._is_silent)

    def _is_silent(self, through: PingResult, past: PingResult) -> bool:
        if past.how != "answered":
            return False
        waited = self.direction == "answers" or past.took_ms < STILL_MS <= through.took_ms
        return through.how == "silent" or (through.how == "closed" and waited)
