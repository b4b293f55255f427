"""Somebody ends the target's connections at the queue's server, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import valkey
from shaketable.faults.kinds.repeat import renew
from shaketable.plural import counted
from shaketable.stack.stack import OWN_NAME


@dataclass(frozen=True)
class KillClients(valkey.ValkeyFault):
    """CLIENT KILL on every client that has run a command, every `every_s` seconds. Connects succeed.

    The harness's own are left alone, by their name; its exchanges through links run no command, for want of a log-in.
    """

    every_s: float = 1.0
    kind: ClassVar[str] = "kill_clients"
    colour: ClassVar[str] = "#d05060"

    def __post_init__(self) -> None:
        if self.every_s <= 0:
            raise ScenarioError(f"expected every_s above 0 s, got {self.every_s:g}")

    @property
    def label(self) -> str:
        return f"redis clients killed every {self.every_s:g} s"

    def inject(self, context: FaultContext) -> None:
        context.scratch[f"{self.kind}.killed"] = 0
        context.keep_open(self.kind, renew(self.kind, partial(self._kill, context), self.every_s))

    def heal(self, context: FaultContext) -> None:
        context.release(self.kind)

    def witness(self, context: FaultContext) -> Witness:
        """How many connections the server has ended for us since the injection."""
        killed = context.scratch.get(f"{self.kind}.killed", 0)
        return Witness(killed > 0, killed, "connections killed", counted(round(killed), "connections killed"))

    def _kill(self, context: FaultContext) -> None:
        with valkey.admin(context) as client:
            clients = client.client_list("normal")  # type: ignore[no-untyped-call,unused-ignore]
            aimed = [each["id"] for each in clients if each["name"] != OWN_NAME and each.get("tot-cmds") != "0"]
            killed = sum(int(client.client_kill_filter(_id=number)) for number in aimed)  # type: ignore[no-untyped-call,unused-ignore]
        context.scratch[f"{self.kind}.killed"] += killed
