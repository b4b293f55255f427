"""The doctor: tries each endpoint of a target on a small stack of its own, and says in words what is wrong.

`line` is what it says, `visit` what it stands on. In the order of the questions: `beginning` (setup, the SQL, each
process becomes ready), `intake` (events are taken in, malformed ones refused), `kept` (what was taken in is stored,
once, as it was sent), `queue` (the backlog shows while nobody works), `dead` (letters told over HTTP), `health`,
`breaker`, `ending` (SIGTERM is heard).
"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.doctor import beginning, breaker, dead, ending, health, intake, kept, queue
from shaketable.doctor.line import Line
from shaketable.doctor.visit import Visit

__all__ = ["Line", "Visit", "examine"]


def examine(visit: Visit) -> Iterator[Line]:
    """Every question to one target, in order; what cannot be asked any more for want of an earlier answer is left."""
    if not (yield from beginning.sets_up(visit)):
        return
    yield from beginning.reads(visit)
    if (yield from beginning.becomes_ready(visit)):
        yield from intake.lines(visit)
        if (yield from kept.lines(visit)):
            yield from queue.lines(visit)
        yield from dead.lines(visit)
        yield from health.lines(visit)
        yield from breaker.lines(visit)
    yield from ending.lines(visit)
