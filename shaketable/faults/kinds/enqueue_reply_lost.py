"""The queue takes an event, and the intake does not hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds import links, valkey
from shaketable.faults.kinds.links import Toxic
from shaketable.plural import counted
from shaketable.stack.stack import Service

#: Writes that say nothing of an intake: a worker takes work by them, puts it away, or keeps a lease alive.
NOT_AN_INTAKES = frozenset(
    {
        "xack",
        "xdel",
        "xtrim",
        "xclaim",
        "xautoclaim",
        "xreadgroup",
        "lpop",
        "rpop",
        "blpop",
        "brpop",
        "lmove",
        "blmove",
        "rpoplpush",
        "brpoplpush",
        "lmpop",
        "blmpop",
        "lrem",
        "ltrim",
        "zrem",
        "zpopmin",
        "zpopmax",
        "bzpopmin",
        "bzpopmax",
        "zmpop",
        "bzmpop",
        "zremrangebyscore",
        "zremrangebyrank",
        "srem",
        "spop",
        "hdel",
        "del",
        "unlink",
        "expire",
        "pexpire",
        "expireat",
        "pexpireat",
        "persist",
        "getdel",
        "getex",
    }
)


@dataclass(frozen=True)
class EnqueueReplyLost(links.ToxicFault):
    """Redis executes the writes of `process`, but the reply never arrives: neither intake nor client can know."""

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

    def inject(self, context: FaultContext) -> None:
        super().inject(context)
        context.scratch[self.kind] = _writes(context)

    def witness(self, context: FaultContext) -> Witness:
        """The link gives no answer, and the server, asked past it, has written something since then.

        Any write counts: an intake may write a key of its own before it puts the event into a queue.
        """
        seen = links.witness_how(context, self.links(context), "silent")
        done = int(_writes(context) - context.scratch[self.kind]) if self.kind in context.scratch else 0
        text = f"{seen.text}; {counted(done, 'writes')} done since"
        return Witness(seen.landed and done > 0, done, "writes done unheard", text)


def _writes(context: FaultContext) -> float:
    """Calls of commands that write, a script's too, since the server's start. Raises HarnessError."""
    with valkey.admin(context) as client:
        told, known = client.info("commandstats"), client.command()
    names = {name for name, command in known.items() if "write" in command["flags"]} - NOT_AN_INTAKES
    return float(sum(told.get(f"cmdstat_{name}", {}).get("calls", 0) for name in names))
