"""Postgres crashes, as by a kill of its container or of its machine's memory killer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shaketable.faults.kinds.crash import Crash
from shaketable.stack.stack import Service


@dataclass(frozen=True)
class PostgresCrash(Crash):
    """SIGKILL to Postgres with every backend; healing starts it, which replays its log, and waits until it answers.

    Open transactions are gone, committed ones are not. No proof against power loss: the kernel's page cache survives a
    SIGKILL.
    """

    kind: ClassVar[str] = "postgres_crash"
    colour: ClassVar[str] = "#805040"
    service: ClassVar[Service] = "postgres"

    @property
    def blocks_store(self) -> bool:
        return True
