"""Agendas with literal times, in milliseconds: `play` says what was sent when."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from shaketable.clock import MS
from shaketable.load.mix.shape import Expect
from shaketable.load.outcome import Classification
from shaketable.load.schedule import Planned
from shaketable.load.send_queue import Attempt, SendQueue
from shaketable.op import Outcome

YES = Classification(Outcome.ACKNOWLEDGED, retryable=False)
NO = Classification(Outcome.REFUSED, retryable=False)
LATER = Classification(Outcome.REFUSED, retryable=True)
PERHAPS = Classification(Outcome.INDETERMINATE, retryable=True)


def event(n: int, at_ms: int, organization: str | None = None, resend: str = "") -> Planned:
    return Planned(n, at_ms * MS, f"id-{n}", 0, Expect.ACCEPT, organization, organization is not None, resend)


def play(
    send_queue: SendQueue, answer: Callable[[Attempt, int], tuple[Classification, int]], until_ms: int = 200_000
) -> list[tuple[int, int, str]]:
    """(milliseconds, event, kind) of each attempt sent; `answer` gives the answer and how long it takes."""
    sent: list[tuple[int, int, str]] = []
    pending: list[tuple[int, int, Attempt, Classification]] = []
    now = 0
    while now <= until_ms * MS and not send_queue.finished():
        for attempt in send_queue.due(now):
            send_queue.began(attempt, now)
            sent.append((now // MS, attempt.planned.n, attempt.resend))
            says, takes_ms = answer(attempt, now)
            pending.append((now + takes_ms * MS, attempt.number, attempt, says))
        pending.sort(key=lambda each: each[:2])
        while pending and pending[0][0] <= now:
            _, _, attempt, says = pending.pop(0)
            send_queue.answered(attempt, says, now)
        now += MS
    return sent


def always(says: Classification, takes_ms: int = 5) -> Callable[[Attempt, int], tuple[Classification, int]]:
    return lambda _attempt, _now: (says, takes_ms)


def test_events_are_sent_at_their_intended_times_however_slow_the_answers() -> None:
    send_queue = SendQueue([event(n, 10 * n) for n in range(4)], 0)
    assert play(send_queue, always(YES, takes_ms=1_000)) == [(0, 0, ""), (10, 1, ""), (20, 2, ""), (30, 3, "")]


def test_nothing_is_due_before_its_time_and_the_agenda_says_when() -> None:
    send_queue = SendQueue([event(0, 10)], start=1_000 * MS)
    assert send_queue.due(1_009 * MS) == []
    assert send_queue.next_at() == 1_010 * MS
    assert len(send_queue.due(1_010 * MS)) == 1
    assert send_queue.next_at() is None
    assert not send_queue.finished()


@pytest.mark.parametrize("first", [LATER, PERHAPS])
def test_what_is_refused_for_now_or_indeterminate_is_sent_again_after_a_while(first: Classification) -> None:
    send_queue = SendQueue([event(0, 0)], 0)
    sent = play(send_queue, lambda attempt, _: (YES if attempt.resend else first, 5))
    assert [kind for _, _, kind in sent] == ["", "retry"]
    assert 150 <= sent[1][0] - 5 <= 251


def test_waits_between_tries_grow_to_two_seconds() -> None:
    sent = play(SendQueue([event(0, 0)], 0, resend_for_s=20), always(LATER, takes_ms=1))
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(sent)]
    assert gaps[0] < gaps[1] < gaps[2] < gaps[3]
    assert all(1_500 <= gap <= 2_510 for gap in gaps[4:])


def test_what_is_refused_for_good_is_not_sent_again() -> None:
    assert len(play(SendQueue([event(0, 0)], 0), always(NO))) == 1


def test_an_event_is_given_up_when_its_resend_budget_is_spent() -> None:
    send_queue = SendQueue([event(0, 0)], 0, resend_for_s=1)
    given_up = []
    now = 0
    while not send_queue.finished():
        for attempt in send_queue.due(now):
            send_queue.began(attempt, now)
            given_up.append((now, send_queue.answered(attempt, LATER, now)))
        now += MS
    assert [up for _, up in given_up] == [False] * (len(given_up) - 1) + [True]
    assert given_up[-1][0] <= 1_000 * MS


def test_the_resend_budget_counts_from_the_sending_and_not_from_the_intended_time() -> None:
    send_queue = SendQueue([event(0, 0)], 0, resend_for_s=1)
    (attempt,) = send_queue.due(0)
    send_queue.began(attempt, 30_000 * MS)  # no user was free for so long
    assert not send_queue.answered(attempt, LATER, 30_001 * MS)


def test_a_resend_at_once_is_in_flight_beside_the_first_attempt() -> None:
    sent = play(SendQueue([event(0, 0, resend="at_once")], 0), always(YES, takes_ms=50))
    assert [kind for _, _, kind in sent] == ["", "at_once"]
    assert sent[1][0] <= 1


def test_in_batches_a_resend_at_once_is_due_with_the_first_attempt_and_shares_its_request() -> None:
    send_queue = SendQueue([event(0, 0, resend="at_once"), event(1, 0)], 0, batched=True)
    assert [(each.planned.n, each.resend) for each in send_queue.due(0)] == [(0, ""), (0, "at_once"), (1, "")]
    send_queue = SendQueue([event(0, 0, resend="at_once")], 0, batched=True)
    assert [kind for _, _, kind in play(send_queue, always(YES))] == ["", "at_once"]


def test_later_resends_are_spread_over_the_rest_of_the_load() -> None:
    count, apart_ms = 50, 400
    send_queue = SendQueue([event(n, n * apart_ms, resend="later") for n in range(count)], 0)
    sent = play(send_queue, always(YES))
    first = {n: at for at, n, kind in sent if not kind}
    again = {n: at for at, n, kind in sent if kind == "later"}
    end = (count - 1) * apart_ms
    assert all(first[n] + 2_000 <= again[n] <= max(end, first[n] + 2_005) for n in range(count))
    assert max(again[n] - first[n] for n in range(count)) > 10_000


def test_an_event_with_two_attempts_in_flight_is_tried_again_once_both_failed() -> None:
    send_queue = SendQueue([event(0, 0, resend="at_once")], 0)
    sent = play(
        send_queue, lambda attempt, now: (YES, 5) if now > 100 * MS else (PERHAPS, 10 if attempt.resend else 60)
    )
    assert [kind for _, _, kind in sent] == ["", "at_once", "retry"]
    assert sent[2][0] > 60


@pytest.mark.parametrize("kind", ["after_ack", "other_case", "changed"])
def test_a_resend_after_the_acknowledgement_comes_two_seconds_after_it(kind: str) -> None:
    sent = play(SendQueue([event(0, 0, resend=kind)], 0), always(YES, takes_ms=5))
    assert sent == [(0, 0, ""), (2_005, 0, kind)]


@pytest.mark.parametrize("answer", [LATER, PERHAPS, NO])
def test_nothing_follows_from_the_answer_to_a_late_resend(answer: Classification) -> None:
    send_queue = SendQueue([event(0, 0, resend="after_ack")], 0)
    assert len(play(send_queue, lambda attempt, _: (answer if attempt.resend else YES, 5))) == 2


def test_a_resend_after_the_acknowledgement_needs_one() -> None:
    assert len(play(SendQueue([event(0, 0, resend="after_ack")], 0), always(NO))) == 1


def test_drain_resends_wait_until_all_else_is_settled() -> None:
    events = [event(0, 0, resend="drain"), event(1, 10, resend="after_ack"), event(2, 20, resend="drain")]
    sent = play(SendQueue(events, 0), always(YES, takes_ms=5))
    assert [(n, kind) for _, n, kind in sent] == [
        (0, ""),
        (1, ""),
        (2, ""),
        (1, "after_ack"),
        (0, "drain"),
        (2, "drain"),
    ]


def test_drain_resends_also_wait_until_the_target_has_drained() -> None:
    drained: list[bool] = []
    send_queue = SendQueue([event(0, 0, resend="drain")], 0, drained=lambda: bool(drained))
    assert [kind for _, _, kind in play(send_queue, always(YES), until_ms=1_000)] == [""]
    assert not send_queue.finished()
    drained.append(True)
    assert [kind for _, _, kind in play(send_queue, always(YES), until_ms=2_000)] == ["drain"]
    assert send_queue.finished()


def test_ordered_events_never_overlap() -> None:
    send_queue = SendQueue([event(n, 10 * n, "a") for n in range(4)], 0)
    assert [at for at, _, _ in play(send_queue, always(YES, takes_ms=100))] == pytest.approx([0, 100, 200, 300], abs=4)


def test_an_ordered_event_is_held_until_the_one_before_it_is_settled_and_not_merely_answered() -> None:
    events = [event(0, 0, "a"), event(1, 10, "a")]
    sent = play(SendQueue(events, 0), lambda attempt, now: (LATER if now < 500 * MS else YES, 5))
    numbers = [n for _, n, _ in sent]
    assert numbers == [*[0] * (len(sent) - 1), 1]


@pytest.mark.parametrize("settles", [YES, NO])
def test_acknowledged_and_refused_for_good_both_let_the_next_one_go(settles: Classification) -> None:
    assert len(play(SendQueue([event(0, 0, "a"), event(1, 10, "a")], 0), always(settles, takes_ms=50))) == 2


def test_giving_up_lets_the_next_ordered_event_go() -> None:
    send_queue = SendQueue([event(0, 0, "a"), event(1, 900, "a")], 0, resend_for_s=1)
    sent = play(send_queue, lambda attempt, _: (YES if attempt.planned.n else LATER, 5))
    assert sent[-1][1] == 1


def test_one_organizations_stall_holds_nobody_else() -> None:
    events = [event(0, 0, "a"), event(1, 10, "b"), event(2, 20), event(3, 30, "a")]
    sent = play(SendQueue(events, 0), lambda attempt, _: (YES, 5_000 if attempt.planned.n == 0 else 5))
    assert [(at, n) for at, n, _ in sent[:3]] == [(0, 0), (10, 1), (20, 2)]
    assert sent[3][1] == 3
    assert sent[3][0] >= 5_000


def test_a_late_resend_of_an_ordered_event_lets_nobody_go_before_their_turn() -> None:
    events = [event(0, 0, "a", resend="after_ack"), event(1, 1_900, "a"), event(2, 1_950, "a")]
    sent = play(SendQueue(events, 0), lambda attempt, _: (YES, 1_000 if attempt.planned.n == 1 else 5))
    assert [(n, kind) for _, n, kind in sent] == [(0, ""), (1, ""), (0, "after_ack"), (2, "")]
    assert sent[3][0] >= 2_900


def test_ordered_events_held_past_the_resend_budget_are_unsent() -> None:
    send_queue = SendQueue([event(n, 10 * n, "a") for n in range(3)], 0, resend_for_s=1)
    sent = play(send_queue, lambda attempt, _: (YES, 5_000))
    assert [n for _, n, _ in sent] == [0]
    assert [planned.n for planned in send_queue.unsent] == [1, 2]
    assert send_queue.finished()


def test_abandoning_names_all_that_was_never_sent() -> None:
    send_queue = SendQueue([event(0, 0, "a"), event(1, 1, "a"), event(2, 2), event(3, 500)], 0)
    assert [attempt.planned.n for attempt in send_queue.due(10 * MS)] == [0, 2]
    assert [planned.n for planned in send_queue.abandon()] == [1, 3]
    assert send_queue.due(1_000 * MS) == []


def test_an_empty_plan_is_finished() -> None:
    assert SendQueue([], 0).finished()


def overload(says: Classification, *, rate: int = 100, seconds: int = 40, **how: Any) -> list[tuple[int, int, str]]:
    """What is sent to a target that always answers so."""
    events = [event(n, n * 1_000 // rate) for n in range(rate * seconds)]
    return play(SendQueue(events, 0, **how), always(says, takes_ms=1), until_ms=seconds * 1_000)


@pytest.mark.parametrize("says", [LATER, PERHAPS])
def test_a_target_in_trouble_sees_at_most_twice_the_rate_and_every_first_attempt_in_time(says: Classification) -> None:
    sent = overload(says)
    late = [kind for at, _, kind in sent if at >= 30_000]
    assert late.count("") == 100 * 10
    assert 0.8 * 100 * 10 < late.count("retry") <= 1.05 * 100 * 10
    assert [at for at, _, kind in sent if not kind] == [10 * n for n in range(100 * 40)]


def test_what_waited_for_the_budget_is_sent_soon_after_the_target_is_back() -> None:
    events = [event(n, n * 10) for n in range(4_000)]
    send_queue = SendQueue(events, 0)
    sent = play(send_queue, lambda _attempt, now: ((LATER if now < 15_000 * MS else YES), 1), until_ms=40_000)
    retries = [at for at, _, kind in sent if kind and at >= 15_000]
    assert send_queue.finished()
    assert max(retries) < 22_000
    assert not send_queue.given_up


def test_what_waits_for_the_budget_for_too_long_is_given_up_and_the_next_of_its_organization_is_sent() -> None:
    events = [event(n, n * 5) for n in range(2_000)] + [event(2_000, 5_000, "a"), event(2_001, 5_001, "a")]
    send_queue = SendQueue(sorted(events, key=lambda each: each.at), 0, resend_for_s=3)
    sent = play(send_queue, always(LATER, takes_ms=1), until_ms=60_000)
    assert send_queue.finished()
    assert send_queue.given_up
    assert all(sending.settled for sending in send_queue.given_up)
    assert {n for _, n, _ in sent} | {planned.n for planned in send_queue.unsent} == set(range(2_002))


def test_an_answer_that_advises_a_wait_is_heard() -> None:
    send_queue = SendQueue([event(0, 0)], 0)
    (attempt,) = send_queue.due(0)
    send_queue.began(attempt, 0)
    send_queue.answered(attempt, LATER, 0, advised_s=7.0)
    assert send_queue.next_at() == 7_000 * MS
