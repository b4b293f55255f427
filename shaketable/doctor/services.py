"""Test the services of the target's own, and the other entries that a manifest of contract 2 may have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.errors import TargetError
from shaketable.stack.service import Service
from shaketable.stack.service_server import reachable
from shaketable.target.readers.queue import QueueReader

SERVICE, QUEUE = "`[[service]]`", "`[queue]`"


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Check each service through the links to it, and that the numbers of [queue] can be read."""
    for name in session.stack.services:
        if (service := session.stack.service(name)) is not None:
            yield _service(session, service)
    queue = session.target.located().queue
    own = [each.name for each in session.manifest.service]
    if queue is not None and queue.stands_on is None and own:
        yield not_claimed("queue.service", f"the intake must accept events while {' or '.join(own)} is unavailable")
    for section, table in (("queue", queue), ("queue.parked", queue and queue.parked)):
        if table is None or table.redis:
            continue
        with closing(QueueReader(session.stack, session.target.located(), table, section)) as reader:
            try:
                reader.check()
                yield ok(section, f"gives a number: {reader.total()}")
            except TargetError as e:
                yield wrong(section, str(e), "try it by hand while the target runs", QUEUE)


def _service(session: DoctorSession, service: Service) -> DoctorResult:
    what = f"service {service.name}"
    silent = [
        instance.name
        for instance in session.target.instances.values()
        if not reachable(service, instance.links[service.name].listen)
    ]
    if silent:
        told = "its probe gets no answer" if service.probe else "no connection"
        return wrong(what, f"{told} through the link of {', '.join(silent)}", "correct its probe", SERVICE)
    if service.probe is None:
        return not_claimed(what, "it has no probe: a silent link to it could not be witnessed")
    return ok(what, "answers its probe through every link")
