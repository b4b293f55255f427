"""Test the health score, also while the target's services are unavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import DoctorSession
from shaketable.target.bounded_http import NoResponse, get

#: Timeout of a health request in seconds, and the number of attempts: one may be late on a busy machine.
TOLD_S, TIMES = 1.0, 3
SILENT = f"no answer within {TOLD_S:g} s, {TIMES} times"
ANSWERS = "What it answers"
SHAPE = 'answer {"healthScore": 0–100, "circuitBreakerState": "CLOSED", "deadLetterCount": 0}'


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """Check the response's form, also without the services."""
    claims = session.manifest.capabilities
    if not claims.health:
        yield not_claimed("health", "the health score is not judged (capabilities.health)")
        return
    if session.target.intake_health_url is None:
        yield wrong("health", "claimed, but the intake's [[process]] has no `health` path", "name it", "`[[process]]`")
        return
    told = _ask(session)
    yield _shape("health", told, claims.breaker)
    with _away(session):
        yield _shape("health while its services are unavailable", _ask(session), breaker=False)


def _ask(session: DoctorSession) -> dict[str, Any] | str:
    """The response, or a description of its mistake."""
    for _ in range(TIMES):
        if (told := _told(session)) != SILENT:
            break
    return told


def _told(session: DoctorSession) -> dict[str, Any] | str:
    url = session.target.intake_health_url
    assert url is not None
    try:
        told = get(url, TOLD_S).json()
    except NoResponse:
        return SILENT
    except ValueError:
        return "the answer is no JSON"
    return told if isinstance(told, dict) else f"the answer is a JSON {type(told).__name__}"


def _shape(what: str, told: dict[str, Any] | str, breaker: bool) -> DoctorResult:
    if isinstance(told, str):
        return wrong(what, told, SHAPE, ANSWERS)
    score, state, dead = told.get("healthScore"), told.get("circuitBreakerState"), told.get("deadLetterCount")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 100:
        return wrong(what, f"healthScore is {score!r}", SHAPE, ANSWERS)
    if breaker and state not in ("CLOSED", "OPEN", "HALF_OPEN"):
        return wrong(what, f"circuitBreakerState is {state!r}", SHAPE, ANSWERS)
    if dead is not None and not isinstance(dead, int):
        return wrong(what, f"deadLetterCount is {dead!r}", SHAPE, ANSWERS)
    return ok(what, f"healthScore {score:g}{f', circuitBreakerState {state}' if state else ''}")


@contextmanager
def _away(session: DoctorSession) -> Iterator[None]:
    """Disable the processes' links to its services."""
    cut = [session.stack.proxy(link) for i in session.target.instances.values() for link in i.links.values()]
    try:
        for name in cut:
            session.stack.toxiproxy.enable(name, False)
        session.clock.sleep(TOLD_S)  # until the processes notice
        yield
    finally:
        for name in cut:
            session.stack.toxiproxy.enable(name, True)
