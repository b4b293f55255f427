"""Test the intake: a valid event is acknowledged, also when repeated or concurrent; malformed ones are refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from shaketable.doctor.result import DoctorResult, ok, wrong
from shaketable.doctor.session import ANSWER_S, DoctorSession, event, excerpt
from shaketable.load.mix import malformed
from shaketable.load.mix.shape import Expect
from shaketable.load.outcome import classify
from shaketable.op import Outcome
from shaketable.target.bounded_http import BoundedResponse, NoResponse

ANSWERS = "What it answers"
#: The most examples in a message.
SHOWN = 3


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """A valid event, repeated, concurrent and malformed ones."""
    event_id, body = event()
    first = _valid(session, event_id, body)
    yield first
    if first.state != "ok":
        return
    yield _again(session, body)
    yield _at_once(session)
    yield _malformed(session)
    yield _names_the_member(session)


def _valid(session: DoctorSession, event_id: str, body: bytes) -> DoctorResult:
    path, answer = session.manifest.ingest.path, session.post(body)
    what = f"POST {path}, a valid event"
    if isinstance(answer, NoResponse):
        return wrong(what, f"no answer ({answer})", f"answer within {ANSWER_S:g} s", ANSWERS)
    if answer.status == 202:
        session.taken[event_id] = body
        return ok(what, "202")
    said = f"expected 202, got {answer.status} ({excerpt(answer)})"
    if answer.status in (404, 405):
        return wrong(what, said, "`ingest.path` must be the path at which the process accepts POST", "`[ingest]`")
    if 200 <= answer.status < 300:
        return wrong(
            what,
            said,
            "answer 202 once the event is durable: any other status counts as unknown, "
            "so that a lost event would never be called lost",
            ANSWERS,
        )
    return wrong(what, said, "a valid event must be accepted", "An event")


def _again(session: DoctorSession, body: bytes) -> DoctorResult:
    answer = session.post(body)
    return _repeated("the same event again", [answer])


def _at_once(session: DoctorSession) -> DoctorResult:
    event_id, body = event()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(session.post, [body, body]))
    if any(isinstance(answer, BoundedResponse) and answer.status == 202 for answer in answers):
        session.taken[event_id] = body
    return _repeated("an event twice at once", answers)


def _repeated(what: str, answers: list[BoundedResponse | NoResponse]) -> DoctorResult:
    told = [str(a.status) if isinstance(a, BoundedResponse) else str(a) for a in answers]
    if set(told) == {"202"}:
        return ok(what, " and ".join(told))
    return wrong(
        what,
        f"expected 202, got {' and '.join(told)}",
        "a client without a response sends again: acknowledge the event, and store it once",
        ANSWERS,
    )


def _malformed(session: DoctorSession) -> DoctorResult:
    """Send every malformed shape that must be refused, until one gets no response."""
    what, offenders, count = "malformed events", list[str](), 0
    for shape in malformed.shapes(datetime.now(UTC).date()):
        if shape.expect is not Expect.REFUSE:
            continue
        event_id, _ = event()
        answer, count = session.post(shape.wire(event_id)), count + 1
        if isinstance(answer, NoResponse):
            return wrong(what, f"no answer to {shape.why} ({answer})", "answer 400 or 422", ANSWERS)
        found = classify(answer.status, definite_refusals=session.manifest.ingest.definite_refusals)
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
    _, body = event(action=None)
    answer = session.post(body)
    if isinstance(answer, BoundedResponse) and "action" in answer.text:
        return ok(what, excerpt(answer))
    said = excerpt(answer) if isinstance(answer, BoundedResponse) else answer
    return DoctorResult(
        "ok", what, f"not said for an event without action ({said}), though it should be", section=f'"{ANSWERS}"'
    )
