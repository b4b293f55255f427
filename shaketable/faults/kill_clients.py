"""Somebody ends the target's connections at the queue's server, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.fault import Bench, Fault, Witness
from shaketable.faults import valkey
from shaketable.faults.repeat import renew
from shaketable.stack import OWN_NAME


@dataclass(frozen=True)
class KillClients(Fault):
    """CLIENT KILL on every client but the harness's own, every `every_s` seconds. Connects succeed."""

    every_s: float = 1.0
    kind: ClassVar[str] = "kill_clients"
    colour: ClassVar[str] = "#d05060"

    def __post_init__(self) -> None:
        if self.every_s <= 0:
            raise ScenarioError(f"expected every_s above 0 s, got {self.every_s:g}")

    @property
    def label(self) -> str:
        return f"redis clients killed every {self.every_s:g} s"

    @property
    def blocks_intake(self) -> bool:
        return True

    def aims(self, bench: Bench) -> list[str]:
        bench.server("redis")
        return [link.name for link in bench.links("redis")]

    def inject(self, bench: Bench) -> None:
        bench.notes[f"{self.kind}.killed"] = 0
        bench.hold(self.kind, renew(self.kind, partial(self._kill, bench), self.every_s))

    def heal(self, bench: Bench) -> None:
        bench.release(self.kind)

    def witness(self, bench: Bench) -> Witness:
        """How many connections the server has ended for us since the injection."""
        killed = bench.notes.get(f"{self.kind}.killed", 0)
        return Witness(killed > 0, killed, "connections killed", f"{killed:.0f} connections killed")

    def _kill(self, bench: Bench) -> None:
        with valkey.admin(bench) as client:
            clients = [c["id"] for c in client.client_list("normal") if c["name"] != OWN_NAME]  # type: ignore[no-untyped-call,unused-ignore]
            killed = sum(int(client.client_kill_filter(_id=number)) for number in clients)  # type: ignore[no-untyped-call,unused-ignore]
        bench.notes[f"{self.kind}.killed"] += killed
