"""Test that each process ends on SIGTERM within its grace period."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import psycopg

from shaketable.doctor.persistence import missing
from shaketable.doctor.result import DoctorResult, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.target.instance import Instance

#: Seconds that a new process may take until it has its first connection to a server, and seconds to wait then for the
#: others. Before that it may not have installed its handler of SIGTERM: a starting process ends at once.
START_S, CONNECTED_S = 20.0, 1.0
SECTION = "How it is started"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Stop workers first, as at the end of a run. Restart a process that does not end in time, and stop it again."""
    was_cut = session.manifest.capabilities.health
    if was_cut:  # the previous tests cut the links: a process may be reconnecting
        _settle(session)
    for name in reversed(session.target.instances):
        instance = session.target.instances[name]
        if instance.child is None:
            continue
        what = f"{name} ends at SIGTERM"
        if (code := instance.child.poll()) is not None:
            yield wrong(
                what,
                f"it had exited with code {code} ({session.last_log_lines(name)})",
                "it must run until it receives SIGTERM",
                SECTION,
            )
            continue
        if (took := _ends(session, instance)) is not None:
            yield ok(what, f"after {took:.1f} s of {instance.kind.stop_s:g}")
        else:
            yield _again(session, instance, what, "its links had been cut before" if was_cut else "it had been frozen")


def _settle(session: DoctorSession) -> None:
    """Wait until a new event is stored, so that no process is stopped while it reconnects."""
    event_id, body = session.events.new()
    answer = session.post(body, event_id)
    if not session.accepts(answer):
        return
    session.taken[event_id] = body
    try:
        session.seen(lambda: not missing(session))
    except psycopg.Error:
        return  # stored.sql fails, which `startup` reports


def _ends(session: DoctorSession, instance: Instance) -> float | None:
    """Stop it; returns the seconds it took, or None if it was killed after its grace period."""
    assert instance.child is not None
    began = session.clock.now()
    session.target.stop(instance.name)
    return None if instance.child.poll() == -signal.SIGKILL else (session.clock.now() - began) / 1e9


def _again(session: DoctorSession, instance: Instance, what: str, before: str) -> DoctorResult:
    """Stop a new incarnation that has experienced no faults."""
    grace = instance.kind.stop_s
    session.target.start(instance.name)
    if session.target.becomes_ready(instance.name) and session.seen(lambda: _connected(instance), START_S):
        session.clock.sleep(CONNECTED_S)
    if (took := _ends(session, instance)) is not None:
        return ok(
            what,
            f"after {took:.1f} s of {grace:g} for a new incarnation; not within stop_s the first time, since {before}",
        )
    found = f"not within stop_s = {grace:g} s, so it was killed; neither did a new incarnation end"
    return wrong(what, found, "end, or raise stop_s", SECTION)


def _connected(instance: Instance) -> bool:
    """Whether the kernel reports a connection to one of its links; true if that is not observable."""
    links = {link.listen.port for link in instance.links.values()}
    if instance.child is None or not (tree := instance.child.tree()):
        return True
    try:
        return any(getattr(one.raddr, "port", 0) in links for each in tree for one in each.net_connections("tcp"))
    except psutil.Error:
        return False
