"""Test that the backlog is visible: acknowledged events must show under [queue] while the workers are frozen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from shaketable import plural
from shaketable.doctor.persistence import missing
from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.errors import TargetError
from shaketable.evidence.backlog import Backlog
from shaketable.target.instance import Instance
from shaketable.target.manifest import Manifest
from shaketable.target.source_tables import QueueKey

#: Number of events to send: more than frozen processes are likely to hold.
EVENTS = 12
QUEUE = "`[queue]`"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Check the queue while all processes except the intake are frozen; not claimed without any of these."""
    if session.manifest.queue is None:
        yield not_claimed("queue", "a missing event is undelivered, never lost: the verdict on loss would be unknown")
        return
    if not (others := _others(session)):
        yield not_claimed("queue", "one process accepts and stores events: its backlog cannot be observed")
        return
    if all(each.kind.name in _asked(session.manifest) for each in others):
        yield not_claimed("queue", f"{_awake(session)} for the harness: its backlog cannot be observed in a freeze")
        return
    with _frozen(session), Backlog(session.stack, session.target.located()) as backlog:
        accepted = _fill(session)
        yield from (line for key in session.manifest.queue.redis if (line := _type(session, key)))
        yield _length(session, backlog, accepted)
    yield _goes_on(session)


def _goes_on(session: DoctorSession) -> DoctorResult:
    what = "work goes on after a freeze"
    if session.seen(lambda: not missing(session)):
        return ok(what, "all is stored")
    try:
        found = plural.counted(len(missing(session)), "events are not stored")
    except TargetError as e:
        found = str(e)
    return wrong(what, found, "a resumed process must continue, or another take over within lease_s", "`[timing]`")


def _others(session: DoctorSession) -> list[Instance]:
    return [i for i in session.target.instances.values() if i.kind.name != session.manifest.ingest.process]


def _asked(manifest: Manifest) -> set[str]:
    """The processes on whose ports the harness reads the queue and the stored events."""
    queue = manifest.queue
    tables = (manifest.stored, queue, queue and queue.parked)
    return {each.process for each in tables if each and each.url and each.process}


def _awake(session: DoctorSession) -> str:
    return f"{' and '.join(sorted(_asked(session.manifest)))} must answer"


@contextmanager
def _frozen(session: DoctorSession) -> Iterator[None]:
    """Freeze all processes except the intake, and those that the harness asks meanwhile."""
    asked = _asked(session.manifest)
    running = [i.child for i in _others(session) if i.kind.name not in asked and i.child and i.child.poll() is None]
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
        event_id, body = session.events.new()
        answer = session.post(body, event_id)
        if session.accepts(answer):
            session.taken[event_id] = body
            accepted += 1
    return accepted


def _type(session: DoctorSession, key: QueueKey) -> DoctorResult | None:
    """A result for a key whose type differs from the manifest; None for a correct or missing key."""
    with redis.Redis.from_url(session.stack.redis_url(), socket_timeout=2) as server:
        names = list(server.scan_iter(key.key, count=1000))
        types = {server.type(name).decode() for name in names} - {"none"}
    if not types or key.type in types:
        return None
    return wrong(
        f"queue key {key.key}",
        f"is of type {', '.join(sorted(types))}, and the manifest says {key.type}",
        "state its actual type, or its length cannot be read",
        QUEUE,
    )


def _length(session: DoctorSession, backlog: Backlog, accepted: int) -> DoctorResult:
    what, length = "the backlog is seen", backlog.queue()
    if not accepted:
        return wrong(
            what,
            "nothing is accepted while the other processes are frozen",
            "accept events independently of the workers",
            "What it answers",
        )
    try:
        waiting = len(missing(session))
    except TargetError as e:
        return not_claimed(what, f"the stored events cannot be read while the other processes are frozen ({e})")
    if length:
        held = f": {waiting - length} held by frozen processes" if waiting > length else ""
        return ok(
            what,
            f"{plural.counted(waiting, 'events wait')} for frozen workers, and the queue's length is {length}{held}",
        )
    if not waiting and _asked(session.manifest) & {each.kind.name for each in _others(session)}:
        return not_claimed(what, f"{_awake(session)} for the harness and was not frozen: all events are stored")
    if not waiting:
        return wrong(what, "the intake stores events itself: there is no backlog", "leave [queue] out", QUEUE)
    return wrong(
        what,
        plural.counted(waiting, f"events wait, and the length is {'unknown' if length is None else 0}"),
        _hint(session),
        QUEUE,
    )


def _hint(session: DoctorSession) -> str:
    if session.manifest.queue and session.manifest.queue.redis:
        return f"existing keys: {_keys(session)}"
    return "it must count the events that are accepted and not yet stored, those that workers hold among them"


def _keys(session: DoctorSession) -> str:
    with redis.Redis.from_url(session.stack.redis_url(), socket_timeout=2) as server:
        names = sorted(name.decode(errors="replace") for name in server.scan_iter("*", count=1000))
        return ", ".join(f"{name} ({server.type(name).decode()})" for name in names[:6]) or "none"
