"""A crash point: the place between two messages at which a process dies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from shaketable.crash_points.frames.wire import CHUNK

When = Literal["before", "after"]
How = Literal["kill", "term", "cut", "freeze"]
HOWS: tuple[How, ...] = get_args(How)
#: In sentences: what happened to the process.
DONE: dict[How, str] = {"kill": "killed", "term": "terminated", "cut": "cut off", "freeze": "frozen"}


@dataclass(frozen=True)
class Point:
    """Before a message of this kind reaches the service, or after the service has replied to it.

    After: the service has carried the message out, and the process has not seen the reply.
    """

    process: str
    service: str
    message: str
    when: When

    @property
    def place(self) -> str:
        """`before XADD`, `after COMMIT`; the service is named where the message is only a chunk."""
        what = f"a chunk of {self.service}" if self.message == CHUNK else self.message
        return f"{self.when} {what}"

    def told(self, how: How) -> str:
        """`worker-1 killed before COMMIT`."""
        return f"{self.process} {DONE[how]} {self.place}"
