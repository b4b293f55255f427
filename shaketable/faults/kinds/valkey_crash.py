"""The queue's server crashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.fault import FaultContext
from shaketable.faults.kinds.crash import Crash
from shaketable.stack.stack import Service


@dataclass(frozen=True)
class ValkeyCrash(Crash):
    """SIGKILL to Valkey; healing starts it, which reads its append-only file, and waits until it answers.

    Writes that were acknowledged after their fsync are there again. No proof against power loss: what the kernel holds
    survives a SIGKILL.
    """

    kind: ClassVar[str] = "valkey_crash"
    colour: ClassVar[str] = "#804060"
    service: ClassVar[Service] = "redis"

    def blocks_intake(self, context: FaultContext) -> bool:
        return context.services.queue == "redis"
