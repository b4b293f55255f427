"""The backlog shows: while all other processes are frozen, what is acknowledged must be seen under [queue]."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from shaketable import plural
from shaketable.doctor.persistence import missing
from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import DoctorSession, event
from shaketable.evidence.backlog import Backlog
from shaketable.target.bounded_http import BoundedResponse
from shaketable.target.manifest import QueueKey

#: Events that are sent meanwhile: more than frozen processes are likely to have in their hands.
EVENTS = 12
QUEUE = "`[queue]`"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Not claimed; not to be seen, as one process does all; or looked at while the others are frozen."""
    if session.manifest.queue is None:
        yield not_claimed("queue", "a missing event is undelivered, never lost: the verdict on loss would be unknown")
        return
    others = [i for i in session.target.instances.values() if i.kind.name != session.manifest.ingest.process]
    if not others:
        yield not_claimed("queue", "one process takes in and stores: its backlog cannot be held up to be looked at")
        return
    with _frozen(session), Backlog(session.stack, session.manifest) as backlog:
        accepted = _fill(session)
        yield from (line for key in session.manifest.queue.redis if (line := _type(session, key)))
        yield _length(session, backlog, accepted)
    if session.seen(lambda: not missing(session)):
        yield ok("work goes on after a freeze", "all is stored")
    else:
        yield wrong(
            "work goes on after a freeze",
            plural.counted(len(missing(session)), "events are not stored"),
            "who was frozen must go on, or another take over within lease_s",
            "`[timing]`",
        )


@contextmanager
def _frozen(session: DoctorSession) -> Iterator[None]:
    """All but the intake are stopped meanwhile."""
    running = [
        i.child
        for i in session.target.instances.values()
        if i.kind.name != session.manifest.ingest.process and i.child and i.child.poll() is None
    ]
    for child in running:
        child.pause()
    try:
        yield
    finally:
        for child in running:
            child.resume()


def _fill(session: DoctorSession) -> int:
    accepted = 0
    for _ in range(EVENTS):
        event_id, body = event()
        answer = session.post(body)
        if isinstance(answer, BoundedResponse) and answer.status == 202:
            session.taken[event_id] = body
            accepted += 1
    return accepted


def _type(session: DoctorSession, key: QueueKey) -> DoctorResult | None:
    """A key that is of another type than the manifest says; none for one that is right or not there."""
    with redis.Redis.from_url(session.stack.redis_url(), socket_timeout=2) as server:
        names = list(server.scan_iter(key.key, count=1000))
        types = {server.type(name).decode() for name in names} - {"none"}
    if not types or key.type in types:
        return None
    return wrong(
        f"queue key {key.key}",
        f"is of type {', '.join(sorted(types))}, and the manifest says {key.type}",
        "say the type that it has, or its length cannot be asked",
        QUEUE,
    )


def _length(session: DoctorSession, backlog: Backlog, accepted: int) -> DoctorResult:
    what, length = "the backlog is seen", backlog.queue()
    if not accepted:
        return wrong(
            what,
            "nothing is accepted while the other processes are frozen",
            "take events in whatever the workers do",
            "What it answers",
        )
    waiting = len(missing(session))
    if length:
        held = f": {waiting - length} in the hands of frozen processes" if waiting > length else ""
        return ok(
            what,
            f"{plural.counted(waiting, 'events wait')} while nobody works, and the queue's length is {length}{held}",
        )
    if not waiting:
        return wrong(what, "the intake stores by itself: there is no backlog", "leave [queue] out", QUEUE)
    return wrong(
        what,
        plural.counted(waiting, f"events wait, and the length is {'unknown' if length is None else 0}"),
        f"keys that are there: {_keys(session)}",
        QUEUE,
    )


def _keys(session: DoctorSession) -> str:
    with redis.Redis.from_url(session.stack.redis_url(), socket_timeout=2) as server:
        names = sorted(name.decode(errors="replace") for name in server.scan_iter("*", count=1000))
        return ", ".join(f"{name} ({server.type(name).decode()})" for name in names[:6]) or "none"
