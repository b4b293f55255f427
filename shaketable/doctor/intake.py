"""Test the intake: a valid event is acknowledged, also when repeated or concurrent; malformed ones are refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from shaketable.doctor.events import AuditEvents
from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import ANSWER_S, DoctorSession, excerpt
from shaketable.load.outcome import classify
from shaketable.op import Outcome
from shaketable.target.bounded_http import BoundedResponse, NoResponse

ANSWERS = "What it answers"
#: The most examples in a message.
SHOWN = 3


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """A valid event, repeated, concurrent and malformed ones."""
    event_id, body = session.events.new()
    first = _valid(session, event_id, body)
    yield first
    if first.state != "ok":
        return
    yield _again(session, body)
    yield _at_once(session)
    yield _malformed(session)
    yield _names_the_member(session)


def _valid(session: DoctorSession, event_id: str, body: bytes) -> DoctorResult:
    ingest, answer = session.manifest.ingest, session.post(body)
    what = f"{ingest.method} {ingest.path}, a valid event"
    if isinstance(answer, NoResponse):
        return wrong(what, f"no answer ({answer})", f"answer within {ANSWER_S:g} s", ANSWERS)
    if session.accepts(answer):
        session.taken[event_id] = body
        return ok(what, str(answer.status))
    said = f"expected {session.accepted}, got {answer.status} ({excerpt(answer)})"
    if answer.status in (404, 405):
        return wrong(what, said, "`ingest.path` must be the path at which the process accepts POST", "`[ingest]`")
    if 200 <= answer.status < 300:
        return wrong(
            what,
            said,
            f"answer {session.accepted} once the event is durable, or name the status in ingest.accepted: any other "
            "counts as unknown, so that a lost event would never be called lost",
            ANSWERS,
        )
    return wrong(what, said, "a valid event must be accepted", "An event")


def _again(session: DoctorSession, body: bytes) -> DoctorResult:
    answer = session.post(body)
    return _repeated(session, "the same event again", [answer])


def _at_once(session: DoctorSession) -> DoctorResult:
    event_id, body = session.events.new()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(session.post, [body, body]))
    if any(map(session.accepts, answers)):
        session.taken[event_id] = body
    return _repeated(session, "an event twice at once", answers)


def _repeated(session: DoctorSession, what: str, answers: list[BoundedResponse | NoResponse]) -> DoctorResult:
    told = [str(a.status) if isinstance(a, BoundedResponse) else str(a) for a in answers]
    if all(map(session.accepts, answers)):
        return ok(what, " and ".join(told))
    return wrong(
        what,
        f"expected {session.accepted}, got {' and '.join(told)}",
        "a client without a response sends again: acknowledge the event, and store it once",
        ANSWERS,
    )


def _malformed(session: DoctorSession) -> DoctorResult:
    """Send every malformed shape that must be refused, until one gets no response."""
    what, offenders, count = "malformed events", list[str](), 0
    for shape in session.events.malformed():
        event_id, _ = session.events.new()
        answer, count = session.post(shape.wire(event_id)), count + 1
        if isinstance(answer, NoResponse):
            return wrong(what, f"no answer to {shape.why} ({answer})", "answer 400 or 422", ANSWERS)
        ingest = session.manifest.ingest
        found = classify(answer.status, "", ingest.definite_refusals, ingest.accepted)
        if found.outcome is Outcome.REFUSED and not found.retryable:
            session.refused.add(event_id)
        else:
            offenders.append(f"{answer.status} for {shape.why}")
    if not offenders:
        return ok(what, f"{count} of {count} refused")
    shown = ", ".join(offenders[:SHOWN])
    more = f" … and {len(offenders) - SHOWN} more" if len(offenders) > SHOWN else ""
    return wrong(
        what,
        f"{len(offenders)} of {count} not definitely refused: {shown}{more}",
        "answer 400 or 422 (one of ingest.definite_refusals) and store nothing",
        "An event",
    )


def _names_the_member(session: DoctorSession) -> DoctorResult:
    what = "a refusal names the member"
    if not isinstance(session.events, AuditEvents):
        return not_claimed(what, "known of audit events only")
    _, body = session.events.new(action=None)
    answer = session.post(body)
    if isinstance(answer, BoundedResponse) and "action" in answer.text:
        return ok(what, excerpt(answer))
    said = excerpt(answer) if isinstance(answer, BoundedResponse) else answer
    return DoctorResult(
        "ok", what, f"not said for an event without action ({said}), though it should be", section=f'"{ANSWERS}"'
    )
