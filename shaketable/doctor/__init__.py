"""The doctor: tries each endpoint of a target on a small stack of its own, and says in words what is wrong.

`line` is what it says, `session` what it stands on. In the order of the questions: `beginning` (setup, the SQL, each
process becomes ready), `intake` (events are taken in, malformed ones refused), `kept` (what was taken in is stored,
once, as it was sent), `queue` (the backlog shows while nobody works), `dead` (letters told over HTTP), `health`,
`breaker`, `ending` (SIGTERM is heard).
"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.doctor import breaker, dead_letters, health, intake, persistence, queue, shutdown, startup
from shaketable.doctor.result import DoctorResult
from shaketable.doctor.session import DoctorSession

__all__ = ["DoctorResult", "DoctorSession", "examine"]


def examine(session: DoctorSession) -> Iterator[DoctorResult]:
    """Every question to one target, in order; what cannot be asked any more for want of an earlier answer is left."""
    if not (yield from startup.sets_up(session)):
        return
    yield from startup.reads(session)
    if (yield from startup.becomes_ready(session)):
        yield from intake.lines(session)
        if (yield from persistence.lines(session)):
            yield from queue.lines(session)
        yield from dead_letters.lines(session)
        yield from health.lines(session)
        yield from breaker.lines(session)
    yield from shutdown.lines(session)
