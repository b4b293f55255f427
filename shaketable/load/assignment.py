"""An assignment: an attempt, or several in one request, that a user sends."""

from __future__ import annotations

import queue
from dataclasses import dataclass

from shaketable.load.schedule import Planned
from shaketable.load.send_queue import Attempt


@dataclass(slots=True, eq=False)
class Assignment:
    """An attempt that is assigned to a user."""

    attempt: Attempt
    emitted: int  # when the pacer dispatched it
    queued: bool  # no user was free at that time
    others: tuple[Assignment, ...] = ()  # those that share its request
    invoked: int = 0
    took_ms: float = 0.0  # from the request to the response
    latency_ms: float | None = None  # from the intended time to the acknowledgement

    @property
    def planned(self) -> Planned:
        """The event."""
        return self.attempt.planned

    @property
    def all(self) -> list[Assignment]:
        """All attempts of its request."""
        return [self, *self.others]


#: The queue from which a user receives its next attempt.
Inbox = queue.SimpleQueue[Assignment | None]
