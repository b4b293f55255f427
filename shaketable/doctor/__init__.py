"""The doctor: tests each endpoint of a target on a small stack, and reports each mistake with its remedy.

A `session` runs the target, with a `sender_process` if it has a sender, `events` makes the events that it sends; a
`result` is one line of the report. The tests in order: `startup` (setup, the SQL, each process becomes ready),
`services` (the target's own, and the sources of its queue), `intake` (valid events are accepted, malformed ones
refused), `persistence` (accepted events are stored once and unchanged), `queue` (the backlog is visible),
`dead_letters` (over HTTP and in Redis), `health`, `metrics`, `breaker`, and `shutdown` (each process ends on
SIGTERM).
"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.doctor import (
    breaker,
    dead_letters,
    health,
    intake,
    metrics,
    persistence,
    queue,
    services,
    shutdown,
    startup,
)
from shaketable.doctor.result import DoctorResult
from shaketable.doctor.session import DoctorSession

__all__ = ["DoctorResult", "DoctorSession", "examine"]


def examine(session: DoctorSession) -> Iterator[DoctorResult]:
    """Run all tests of a target in order, except those whose precondition has failed."""
    if not (yield from startup.sets_up(session)):
        return
    yield from startup.reads(session)
    if (yield from startup.becomes_ready(session)):
        yield from services.lines(session)
        yield from intake.lines(session)
        if (yield from persistence.lines(session)):
            yield from queue.lines(session)
        yield from dead_letters.lines(session)
        yield from health.lines(session)
        yield from metrics.lines(session)
        yield from breaker.lines(session)
    yield from shutdown.lines(session)
