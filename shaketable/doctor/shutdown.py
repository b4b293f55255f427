"""SIGTERM is heard: each process ends by itself within its grace."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import psycopg

from shaketable.doctor.persistence import missing
from shaketable.doctor.result import DoctorResult, ok, wrong
from shaketable.doctor.session import DoctorSession, event
from shaketable.target.bounded_http import BoundedResponse
from shaketable.target.target import Instance

#: Seconds that a fresh process may take until it has a connection to a server, and those that it is then given for
#: the others. Before, it has not come as far as its handler of SIGTERM: one that is still starting ends at once.
START_S, CONNECTED_S = 20.0, 1.0
SECTION = "How it is started"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Workers first, as a run ends. One that does not end in time is started anew and asked once more."""
    was_cut = session.manifest.capabilities.health
    if was_cut:  # the links were cut for the questions before: it may be reconnecting
        _settle(session)
    for name in reversed(session.target.instances):
        instance = session.target.instances[name]
        if instance.child is None:
            continue
        what = f"{name} ends at SIGTERM"
        if (code := instance.child.poll()) is not None:
            yield wrong(
                what,
                f"it had died by itself with exit code {code} ({session.last_log_lines(name)})",
                "it must go on until it is asked to end",
                SECTION,
            )
            continue
        if (took := _ends(session, instance)) is not None:
            yield ok(what, f"after {took:.1f} s of {instance.kind.stop_s:g}")
        else:
            yield _again(session, instance, what, "its links had been cut before" if was_cut else "it had been frozen")


def _settle(session: DoctorSession) -> None:
    """Wait until an event that is sent now is stored, so that nobody is asked to end while it reconnects."""
    event_id, body = event()
    answer = session.post(body)
    if not isinstance(answer, BoundedResponse) or answer.status != 202:
        return
    session.taken[event_id] = body
    try:
        session.seen(lambda: not missing(session))
    except psycopg.Error:
        return  # stored.sql fails, which is told before


def _ends(session: DoctorSession, instance: Instance) -> float | None:
    """The seconds it took to end; None when it was killed after its grace."""
    assert instance.child is not None
    began = session.clock.now()
    session.target.stop(instance.name)
    return None if instance.child.poll() == -signal.SIGKILL else (session.clock.now() - began) / 1e9


def _again(session: DoctorSession, instance: Instance, what: str, before: str) -> DoctorResult:
    """Ask a fresh incarnation, to which nothing has happened."""
    grace = instance.kind.stop_s
    session.target.start(instance.name)
    if session.target.becomes_ready(instance.name) and session.seen(lambda: _connected(instance), START_S):
        session.clock.sleep(CONNECTED_S)
    if (took := _ends(session, instance)) is not None:
        return ok(
            what, f"after {took:.1f} s of {grace:g} when asked afresh; not within stop_s the first time, as {before}"
        )
    found = f"not within stop_s = {grace:g} s, so it was killed; a fresh one neither"
    return wrong(what, found, "end, or raise stop_s", SECTION)


def _connected(instance: Instance) -> bool:
    """Whether it talks to Postgres or Redis by one of its links, as the kernel tells; true where none can tell."""
    links = {instance.postgres.listen.port, instance.redis.listen.port}
    if instance.child is None or not (tree := instance.child.tree()):
        return True
    try:
        return any(getattr(one.raddr, "port", 0) in links for each in tree for one in each.net_connections("tcp"))
    except psutil.Error:
        return False
