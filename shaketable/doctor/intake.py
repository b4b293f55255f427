"""Test the intake: a valid event is acknowledged, also when repeated or concurrent; malformed ones are refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from shaketable.doctor.events import AuditEvents
from shaketable.doctor.result import DoctorResult, not_claimed, ok, wrong
from shaketable.doctor.session import ANSWER_S, DoctorSession, excerpt
from shaketable.errors import ManifestError
from shaketable.load import sender
from shaketable.load.batch import Batch
from shaketable.load.mix import sized
from shaketable.load.mix.shape import Expect
from shaketable.load.outcome import classify
from shaketable.load.reply import Reply
from shaketable.op import Outcome
from shaketable.stack.process import environment
from shaketable.target.bounded_http import BoundedResponse, NoResponse
from shaketable.target.readers import reference

ANSWERS, SENDER = "What it answers", "A sender: events go in, but not over HTTP"
BATCH = "A batch: several events in one request"
#: Events of a batch.
TOGETHER = 3
#: The most examples in a message.
SHOWN = 3


def lines(session: DoctorSession) -> Iterator[DoctorResult]:
    """A valid event, repeated, concurrent and malformed ones."""
    if session.sender is not None and (why := _unusable(session)):
        yield why
        return
    event_id, body = session.events.new()
    first = _valid(session, event_id, body)
    yield first
    if first.state != "ok":
        return
    if session.manifest.event is not None and (where := session.manifest.event.response_id):
        yield _server_id(session, where)
    yield _again(session, event_id, body)
    yield _at_once(session)
    if (batch := session.manifest.ingest.batch) is not None and session.sender is None:
        yield _together(session, batch)
    if (limit := session.manifest.ingest.max_bytes) is not None:
        yield _sized(session, limit, Expect.ACCEPT)
        yield _sized(session, limit + 1, Expect.REFUSE)
    if session.manifest.mix.malformed == 0:
        yield not_claimed("malformed events", "the target never receives them ([mix])")
    else:
        yield _malformed(session)
        yield _names_the_member(session)


def _unusable(session: DoctorSession) -> DoctorResult | None:
    """A result for a sender that cannot be imported."""
    variables = environment(session.home, **session.target.sender_variables())
    try:
        sender.check(session.target.sender, variables, bool(session.manifest.ingest.batch))
    except ManifestError as e:
        return wrong("ingest.sender", str(e), "write a class with open(), send() and close()", SENDER)
    return None


def _valid(session: DoctorSession, event_id: str, body: bytes) -> DoctorResult:
    ingest, answer = session.manifest.ingest, session.post(body, event_id)
    what = f"{ingest.sender or f'{ingest.method} {ingest.path}'}, a valid event"
    if isinstance(answer, NoResponse):
        if session.sender is not None:
            return wrong(what, f"not sent ({answer})", "return Outcome.ACKNOWLEDGED once it is durable", SENDER)
        return wrong(what, f"no answer ({answer})", f"answer within {ANSWER_S:g} s", ANSWERS)
    if session.accepts(answer):
        session.taken[event_id] = body
        return ok(what, session.said(answer))
    if session.sender is not None:
        return wrong(what, f"expected {session.accepted}, got {session.said(answer)}", "send what is valid", SENDER)
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


def _again(session: DoctorSession, event_id: str, body: bytes) -> DoctorResult:
    answer = session.post(body, event_id)
    return _repeated(session, "the same event again", [answer])


def _at_once(session: DoctorSession) -> DoctorResult:
    event_id, body = session.events.new()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(session.post, [body, body], [event_id, event_id]))
    if any(map(session.accepts, answers)):
        session.taken[event_id] = body
    return _repeated(session, "an event twice at once", answers)


def _server_id(session: DoctorSession, where: str) -> DoctorResult:
    """The response to a new event must hold the id that the server made."""
    event_id, body = session.events.new()
    answer, what = session.post(body, event_id), "the response holds the server's id"
    if not isinstance(answer, BoundedResponse) or not session.accepts(answer):
        return wrong(what, f"expected {session.accepted}, got {session.said(answer)}", "accept it", ANSWERS)
    session.taken[event_id] = body
    if (found := reference.of(answer.content, where)) is not None:
        return ok(what, found)
    return wrong(what, f"nothing at {where} in {excerpt(answer)}", "name its place in event.id.response", "`[event]`")


def _together(session: DoctorSession, batch: Batch) -> DoctorResult:
    """A few events in one request, each of which must be accepted."""
    ingest, events = session.manifest.ingest, dict(session.events.new() for _ in range(min(TOGETHER, batch.size)))
    path = batch.path or ingest.path
    what = f"{ingest.method} {path}, {len(events)} events at once"
    answer = session.post(batch.body(list(events.values())), "", path)
    if isinstance(answer, NoResponse):
        return wrong(what, f"no answer ({answer})", f"answer within {ANSWER_S:g} s", BATCH)
    replies = batch.replies(Reply(answer.status, content=answer.content), len(events))
    said = " and ".join(dict.fromkeys(reply.error or str(reply.status) for reply in replies))
    outcomes = [
        classify(reply.status, reply.error, ingest.definite_refusals, reply.accepted or ingest.accepted).outcome
        for reply in replies
    ]
    session.taken |= {
        id_: body
        for (id_, body), outcome in zip(events.items(), outcomes, strict=True)
        if outcome is Outcome.ACKNOWLEDGED
    }
    if all(outcome is Outcome.ACKNOWLEDGED for outcome in outcomes):
        return ok(what, said)
    remedy = (
        "name where the answers are in ingest.batch.answers and status"
        if batch.answers is not None
        else ("name the status in ingest.batch.accepted, or the answers to the events in ingest.batch.answers")
    )
    return wrong(what, f"expected {session.accepted}, got {said} ({answer.status}: {excerpt(answer)})", remedy, BATCH)


def _sized(session: DoctorSession, size: int, expect: Expect) -> DoctorResult:
    """An event as large as the announced limit is accepted, and one of a byte more refused for good."""
    ingest, event_id = session.manifest.ingest, str(uuid.uuid4())
    body, what = sized.of(datetime.now(UTC).date(), size, expect).wire(event_id), f"an event of {size:,} bytes"
    answer = session.post(body, event_id)
    if isinstance(answer, NoResponse):
        return wrong(what, f"no answer ({answer})", f"answer within {ANSWER_S:g} s", "`[ingest]`")
    found = classify(answer.status, "", ingest.definite_refusals, ingest.accepted)
    if found.outcome is Outcome.ACKNOWLEDGED:
        session.taken[event_id] = body
    if found.outcome is Outcome.REFUSED and not found.retryable:
        session.refused.add(event_id)
    wanted = Outcome.ACKNOWLEDGED if expect is Expect.ACCEPT else Outcome.REFUSED
    if found.outcome is wanted and not found.retryable:
        return ok(what, session.said(answer))
    asked = session.accepted if expect is Expect.ACCEPT else "a refusal for good, such as 413"
    remedy = "name the largest body that it accepts in ingest.max_bytes, or leave it out"
    return wrong(what, f"expected {asked}, got {session.said(answer)}", remedy, "`[ingest]`")


def _repeated(session: DoctorSession, what: str, answers: list[BoundedResponse | NoResponse]) -> DoctorResult:
    told = [session.said(answer) for answer in answers]
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
        answer, count = session.post(shape.wire(event_id), event_id), count + 1
        if isinstance(answer, NoResponse):
            return wrong(what, f"no answer to {shape.why} ({answer})", "answer 400 or 422", ANSWERS)
        ingest = session.manifest.ingest
        found = classify(answer.status, "", ingest.definite_refusals, ingest.accepted)
        if found.outcome is Outcome.REFUSED and not found.retryable:
            session.refused.add(event_id)
        else:
            offenders.append(f"{session.said(answer)} for {shape.why}")
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
    if not isinstance(session.events, AuditEvents) or session.sender is not None:
        return not_claimed(what, "known of audit events over HTTP only")
    event_id, body = session.events.new(action=None)
    answer = session.post(body, event_id)
    if isinstance(answer, BoundedResponse) and "action" in answer.text:
        return ok(what, excerpt(answer))
    said = excerpt(answer) if isinstance(answer, BoundedResponse) else answer
    return DoctorResult(
        "ok", what, f"not said for an event without action ({said}), though it should be", section=f'"{ANSWERS}"'
    )
