"""Test that breaker transitions are written in the expected form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.files import foreign
from shaketable.target import breaker_log
from shaketable.target.breaker_log import Breaker
from shaketable.target.instance import Instance
from shaketable.target.transitions import FILE, LONGEST_LINE, MOST

SECTION = "Breaker transitions"
STATES = ("CLOSED", "OPEN", "HALF_OPEN")


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Check each file of transitions; at least one must exist."""
    if not session.manifest.capabilities.breaker:
        yield not_claimed("breaker", "breakers are not judged (capabilities.breaker)")
        return
    if (table := session.manifest.breaker) is not None:
        yield from _logged(session, table)
        return
    writers = [i for i in session.target.instances.values() if (i.state / FILE).exists()]
    if not writers:
        yield wrong(
            "breaker",
            f"claimed, but no process wrote {FILE} in its STATE_DIR",
            "write a line at start, from null to CLOSED",
            SECTION,
        )
    for instance in writers:
        yield _first(instance)


def _logged(session: DoctorSession, table: Breaker) -> Iterator[DoctorResult]:
    """Read the logs by the pattern; a quiet breaker has logged nothing yet."""
    read = breaker_log.collected(session.target, session.home / "logs")
    found = [line for line in read if line["reason"] == "logged"]
    what = f"the output of {table.process}"
    if unreadable := [line for line in found if line["seq"] < 0 or line["monotonic_ns"] < 0]:
        part = "time" if unreadable[0]["monotonic_ns"] < 0 else "state"
        yield wrong(what, f"breaker.log matches a line with an unknown {part}", "see [breaker]: times, states", SECTION)
    else:
        yield ok(what, f"transitions are read from it by breaker.log, {len(found)} so far")


def _first(instance: Instance) -> DoctorResult:
    what = f"{instance.name}'s {FILE}"
    try:
        first = next(foreign.lines(instance.state / FILE, MOST, LONGEST_LINE), b"")
        told: dict[str, Any] = msgspec.json.decode(first, type=dict[str, Any])
    except OSError as e:
        return wrong(what, f"cannot be read: {e.strerror}", "write a regular file", SECTION)
    except (msgspec.MsgspecError, RecursionError):
        return wrong(what, "its first line is no JSON object", "one object a line", SECTION)
    expected = {"process": instance.name, "incarnation": "1", "seq": 0, "from": None, "to": "CLOSED"}
    for name, value in expected.items():
        found = told.get(name, "absent")
        if (str(found) if name == "incarnation" else found) != value:
            return wrong(
                what, f"`{name}` is {found!r}, expected {value!r} in the first line", "write this value", SECTION
            )
    if not isinstance(told.get("monotonic_ns"), int):
        return wrong(what, "no `monotonic_ns`, by which it is judged", "write CLOCK_MONOTONIC in ns", SECTION)
    return ok(what, "begins from null to CLOSED")
