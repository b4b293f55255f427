"""The queue takes an event, and the intake does not hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.fault import Bench, Witness
from shaketable.faults import links, valkey
from shaketable.faults.links import Toxic
from shaketable.stack import Service

#: Commands that put something into a queue, a script's too; none that a worker takes it out by, or says it lives.
PUTS = ("xadd", "lpush", "rpush", "zadd")


@dataclass(frozen=True)
class EnqueueReplyLost(links.ToxicFault):
    """What `process` writes to Redis is done, but the reply never comes: the intake cannot know, nor can its client."""

    process: str = "intake"
    service: ClassVar[Service] = "redis"  # type: ignore[misc]
    kind: ClassVar[str] = "enqueue_reply_lost"
    colour: ClassVar[str] = "#5b2c6f"

    @property
    def label(self) -> str:
        return f"{self.process}'s replies from Redis lost"

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        return (Toxic("timeout", {"timeout": 0}),)

    def inject(self, bench: Bench) -> None:
        super().inject(bench)
        bench.notes[self.kind] = _puts(bench)

    def witness(self, bench: Bench) -> Witness:
        """The link gives no answer, and the server, asked past it, has put something into a queue since then."""
        seen = links.witness_how(bench, self.links(bench), "silent")
        puts = int(_puts(bench) - bench.notes.get(self.kind, float("inf"))) if self.kind in bench.notes else 0
        return Witness(seen.landed and puts > 0, puts, "writes done unheard", f"{seen.text}; {puts} writes done since")


def _puts(bench: Bench) -> float:
    """Calls of those commands since the server's start. Raises HarnessError."""
    with valkey.admin(bench) as client:
        told = client.info("commandstats")
    return float(sum(told.get(f"cmdstat_{name}", {}).get("calls", 0) for name in PUTS))
