"""A player with a fake clock: the journal it writes for literal times."""

from __future__ import annotations

from dataclasses import replace
from queue import SimpleQueue
from typing import Any

import msgspec
import pytest

from shaketable.clock import MS, SECOND
from shaketable.load.assignment import Assignment, Inbox
from shaketable.load.batch import Batch
from shaketable.load.dispatcher import LEAD, Dispatcher, contract_violation
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.outcome import Classification
from shaketable.load.reply import Reply
from shaketable.load.schedule import Planned
from shaketable.load.send_queue import Attempt, PendingEvent, SendQueue
from shaketable.op import Kind, Op, Outcome

SHAPE = Shape(0, Expect.ACCEPT, "", body={"timestamp": "2026-11-23T00:00:00Z", "action": "a", "status": "attempt"})


class FakeClock:
    """Time passes only in sleep, and what is `then` due happens there."""

    def __init__(self) -> None:
        self.at = 0
        self.then: list[tuple[int, Assignment, Reply]] = []
        self.dispatcher: Dispatcher | None = None

    def now(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += max(round(seconds * SECOND), 1)
        for each in [each for each in self.then if each[0] <= self.at]:
            self.then.remove(each)
            assert self.dispatcher
            self.dispatcher.end(*each[1:])


class Users:
    """Users that answer at once or after a while, in place of greenlets: they look into their inboxes at each sleep."""

    def __init__(self, count: int, *, takes_ms: int = 1, status: int | None = 202, error: str = "") -> None:
        self.takes_ms, self.status, self.error, self.count = takes_ms, status, error, count


class Log(list[Op]):
    def write(self, op: Op) -> None:
        self.append(op)

    def of(self, kind: Kind) -> list[Op]:
        return [op for op in self if op.kind is kind]


class Hands:
    """An inbox that a user would sleep on: sends as soon as a ticket falls in, and comes back after its answer."""

    def __init__(self, clock: FakeClock, users: Users) -> None:
        self.clock, self.users = clock, users
        self.home = False

    def put(self, assignment: Assignment | None) -> None:
        if assignment is None:
            self.home = True
        else:
            self.send(assignment)

    def send(self, assignment: Assignment) -> None:
        assert self.clock.dispatcher
        for each in assignment.all:
            self.clock.dispatcher.begin(each)
        at = self.clock.at + self.users.takes_ms * MS
        self.clock.then.append((at, assignment, Reply(self.users.status, self.users.error)))


def play(events: list[Planned], users: Users, **how: Any) -> tuple[Log, Dispatcher]:
    clock, log = FakeClock(), Log()
    dispatcher = clock.dispatcher = Dispatcher(events, [SHAPE], log, clock, **how)
    everyone = [Hands(clock, users) for _ in range(users.count)]
    end = dispatcher.end

    def end_and_take(assignment: Assignment, reply: Reply) -> Classification:
        answer, *_ = [end(each, reply) for each in assignment.all]
        if dispatcher._waiting:
            everyone[0].send(dispatcher._waiting.popleft())
        else:
            dispatcher._idle.append(everyone[0])  # type: ignore[arg-type]
        return answer

    dispatcher.end = end_and_take  # type: ignore[method-assign]
    dispatcher._idle.extend(everyone)  # type: ignore[arg-type]
    dispatcher.play(users.count)
    return log, dispatcher


def event(n: int, at_ms: int, organization: str | None = None) -> Planned:
    return Planned(n, at_ms * MS, f"id-{n}", 0, Expect.ACCEPT, organization, organization is not None)


def test_a_journal_opens_with_clocks_readiness_and_start_and_closes_with_counts_and_clocks() -> None:
    log, _ = play([event(0, 0)], Users(2))
    assert [op.kind for op in log] == [
        Kind.CLOCK,
        Kind.READY,
        Kind.START,
        Kind.CLOCK,
        Kind.INTENT,
        Kind.SEND,
        Kind.DONE,
        Kind.CLOCK,
    ]
    assert log.of(Kind.START)[0].invoked_at == LEAD
    assert log.of(Kind.READY)[0].detail == {"users": 2}


def test_intent_and_outcome_of_an_attempt_are_joined_by_its_number() -> None:
    log, _ = play([event(0, 0), event(1, 10)], Users(2, takes_ms=5))
    (first, second), (sent, _) = log.of(Kind.INTENT), log.of(Kind.SEND)
    assert (first.event_id, first.attempt, second.event_id, second.attempt) == ("id-0", 1, "id-1", 2)
    assert second.detail == {"due": LEAD + 10 * MS, "emitted": LEAD + 10 * MS, "n": 1}
    assert (sent.invoked_at, sent.ended_at, sent.outcome) == (LEAD, LEAD + 5 * MS, Outcome.ACKNOWLEDGED)
    assert sent.detail == {"status": 202, "n": 0}


def test_an_error_is_written_by_the_name_of_its_class() -> None:
    log, _ = play([event(0, 0)], Users(1, status=None, error="TimeoutError"), resend_for_s=0)
    assert log.of(Kind.SEND)[0].detail == {"status": None, "n": 0, "error": "TimeoutError"}
    (given_up,) = log.of(Kind.GIVE_UP)
    assert (given_up.event_id, given_up.detail) == ("id-0", {"tries": 1, "n": 0})


def test_waiting_for_a_free_user_is_not_the_harnesss_lateness() -> None:
    log, dispatcher = play([event(n, n) for n in range(5)], Users(1, takes_ms=100))
    intents = log.of(Kind.INTENT)
    assert [op.detail.get("queued") for op in intents] == [None, True, True, True, True]
    assert intents[4].invoked_at >= LEAD + 400 * MS
    counts = dispatcher.stats.counts()
    assert (counts["queued"], counts["late"]) == (4, 0)


def test_waiting_for_ones_turn_is_not_the_harnesss_lateness_either() -> None:
    log, dispatcher = play([event(n, n, "a") for n in range(2)], Users(2, takes_ms=100))
    assert log.of(Kind.INTENT)[1].detail["held"] == pytest.approx(99 * MS, abs=10 * MS)
    assert dispatcher.stats.counts()["late"] == 0


def test_a_clock_pair_is_written_every_ten_seconds() -> None:
    log, _ = play([event(0, 0), event(1, 45_000)], Users(1))
    assert len(log.of(Kind.CLOCK)) == 2 + 5


def test_stopping_writes_down_what_was_never_sent() -> None:
    clock, log = FakeClock(), Log()
    dispatcher = Dispatcher([event(n, n) for n in range(3)], [SHAPE], log, clock)
    dispatcher.stop()
    assert not log.of(Kind.UNSENT)  # it never began
    assert dispatcher.take(SimpleQueue()) is None


def test_the_user_that_was_busy_last_is_the_first_to_be_used_again() -> None:
    dispatcher = Dispatcher([], [SHAPE], Log(), FakeClock())
    early, late = Inbox(), Inbox()
    dispatcher._idle.extend([early, late])
    dispatcher._hand_out(Assignment(None, 0, queued=False))  # type: ignore[arg-type]
    assert (early.empty(), late.empty()) == (True, False)


@pytest.mark.parametrize(
    ("expect", "answer", "complains"),
    [
        (Expect.ACCEPT, Classification(Outcome.ACKNOWLEDGED, False), False),
        (Expect.ACCEPT, Classification(Outcome.REFUSED, False), True),
        (Expect.ACCEPT, Classification(Outcome.REFUSED, True), True),
        (Expect.REFUSE, Classification(Outcome.ACKNOWLEDGED, False), True),
        (Expect.REFUSE, Classification(Outcome.REFUSED, False), False),
        (Expect.REFUSE, Classification(Outcome.INDETERMINATE, True), True),
        (Expect.EITHER, Classification(Outcome.ACKNOWLEDGED, False), False),
        (Expect.EITHER, Classification(Outcome.REFUSED, False), False),
        (Expect.EITHER, Classification(Outcome.REFUSED, True), True),
    ],
)
def test_expected_refusals_are_no_failures(expect: Expect, answer: Classification, complains: bool) -> None:
    assert bool(contract_violation(Planned(0, 0, "id", 0, expect), answer, Reply(422))) is complains


def test_a_success_that_the_contract_does_not_know_ends_the_play_at_once() -> None:
    log, _ = play([event(n, 20 * n) for n in range(100)], Users(3, status=201))
    (done,) = log.of(Kind.DONE)
    assert "answers are 201, the contract expects 202" in str(done.detail["broken"])
    assert len(log.of(Kind.SEND)) == 1
    assert len(log.of(Kind.UNSENT)) == 99


def test_retries_that_are_put_off_are_counted_and_marked() -> None:
    log, dispatcher = play([event(n, n) for n in range(2_000)], Users(3_000, status=500), resend_for_s=5)
    deferred = [op for op in log.of(Kind.INTENT) if op.detail.get("deferred")]
    assert deferred
    assert dispatcher.stats.counts()["deferred"] == len(deferred)
    assert any(op.detail.get("deferred") for op in log.of(Kind.GIVE_UP))
    assert len(log.of(Kind.GIVE_UP)) == dispatcher.stats.counts()["given_up"] == 2_000


def test_what_a_user_leaves_behind_goes_to_another() -> None:
    dispatcher = Dispatcher([], [SHAPE], Log(), FakeClock())
    going, staying = Inbox(), Inbox()
    dispatcher._idle.extend([going])
    assignment = Assignment(None, 0, queued=False)  # type: ignore[arg-type]
    dispatcher._hand_out(assignment)
    dispatcher._idle.append(staying)
    dispatcher.leave(going)
    assert going.empty()
    assert staying.get_nowait() is assignment
    dispatcher._idle.append(staying)
    dispatcher.leave(staying)
    assert not dispatcher._idle


def test_events_that_are_due_together_share_a_request_and_keep_their_own_lines() -> None:
    odd = msgspec.structs.replace(event(4, 0), expect=Expect.EITHER)
    log, dispatcher = play([*(event(n, 0) for n in range(4)), odd, event(5, 500)], Users(9), batch=Batch(3))
    assert [op.event_id for op in log.of(Kind.INTENT)] == ["id-0", "id-1", "id-2", "id-3", "id-4", "id-5"]
    assert [op.outcome for op in log.of(Kind.SEND)] == [Outcome.ACKNOWLEDGED] * 6
    assert len({op.ended_at for op in log.of(Kind.SEND)[:5]}) == 1
    counts = dispatcher.stats.counts()
    assert (counts["scheduled"], counts["sent"], counts["late"], counts["unsent"]) == (6, 6, 0, 0)


def test_resend_has_the_id_in_upper_case_or_other_contents_as_its_kind_says() -> None:
    other = msgspec.structs.replace(SHAPE, number=1, body={"action": "b"})
    dispatcher = Dispatcher([], [SHAPE, other], Log(), FakeClock())
    planned = msgspec.structs.replace(event(0, 0), changed=1)
    for kind, expected in (
        ("", SHAPE.wire("id-0")),
        ("after_ack", SHAPE.wire("id-0")),
        ("other_case", SHAPE.wire("ID-0")),
        ("changed", other.wire("id-0")),
    ):
        assignment = Assignment(Attempt(PendingEvent(planned), 1, 0, 0, kind), 0, queued=False)
        assert dispatcher.begin(assignment) == expected


def test_requests_hold_at_most_a_batch_and_what_may_be_refused_goes_alone() -> None:
    dispatcher = Dispatcher([], [SHAPE], Log(), FakeClock(), batch=Batch(3))
    expects = [Expect.ACCEPT] * 4 + [Expect.EITHER, Expect.REFUSE]
    planned = [msgspec.structs.replace(event(n, 0), expect=expect) for n, expect in enumerate(expects)]
    due = [Attempt(PendingEvent(each), each.n, 0, 0) for each in planned]
    assert [[each.planned.n for each in one] for one in dispatcher._requests(due)] == [[0, 1, 2], [3], [4], [5]]


def test_requests_are_cut_by_their_bytes() -> None:
    size = len(SHAPE.wire("id-0"))
    dispatcher = Dispatcher([], [SHAPE], Log(), FakeClock(), batch=Batch(9, max_bytes=2 * size + 10))
    due = [Attempt(PendingEvent(event(n, 0)), n, 0, 0) for n in range(5)]
    assert [len(one) for one in dispatcher._requests(due)] == [2, 2, 1]


def test_events_of_a_request_that_was_too_large_are_sent_again_alone() -> None:
    clock, log = FakeClock(), Log()
    dispatcher = Dispatcher([event(n, 0) for n in range(3)], [SHAPE], log, clock, batch=Batch(3))
    dispatcher._send_queue = SendQueue(dispatcher._plan, 0)
    (together,) = dispatcher._requests(dispatcher._send_queue.due(0))
    for attempt, reply in zip(together, Batch(3).replies(Reply(413), 3), strict=True):
        assignment = Assignment(attempt, 0, queued=False)
        dispatcher.begin(assignment)
        dispatcher.end(assignment, reply)
    assert [op.outcome for op in log.of(Kind.SEND)] == [Outcome.REFUSED] * 3
    again = dispatcher._send_queue.due(10 * SECOND)
    assert [[each.planned.n for each in one] for one in dispatcher._requests(again)] == [[n.planned.n] for n in again]
    assert again


def test_stopping_writes_down_each_event_of_a_batch() -> None:
    log = Log()
    dispatcher = Dispatcher([], [SHAPE], log, FakeClock(), batch=Batch(3))
    first, second = (Assignment(Attempt(PendingEvent(event(n, 0)), n, 0, 0), 0, queued=True) for n in range(2))
    dispatcher._hand_out(replace(first, others=(second,)))
    dispatcher.stop()
    assert [op.event_id for op in log.of(Kind.UNSENT)] == ["id-0", "id-1"]
