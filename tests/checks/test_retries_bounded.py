"""Of the literal checks here: at most 5 connections or 50 statements a second, 20 attempts of a letter, 50 ms apart."""

from typing import Any

import pytest

from shaketable.checks import RetriesBounded
from shaketable.checks.check import Finding, Verdict
from tests.support.book import Part
from tests.support.histories import absent, dead, every, fault, history, received, sent, sunk, target

AWAY = fault(10, 20, blocks_store=True)
PATIENT = sunk("worker-1", 10.1, 10.3, 11, 13, 17, by="worker-1.1")
AT = "2027-01-15T08:00:{:06.3f}Z"


def judged(*parts: Part, **budgets: Any) -> Finding:
    return RetriesBounded(**budgets).judge(history(*parts))


def letter(event_id: str, attempts: int, seconds: float) -> Part:
    return dead(event_id, attempts=attempts, first_failed_at=AT.format(0), last_failed_at=AT.format(seconds))


def test_neither_absence_nor_dead_letter_is_unknown() -> None:
    assert judged().verdict is Verdict.UNKNOWN
    assert judged(fault(10, 20), PATIENT).verdict is Verdict.UNKNOWN
    assert judged(fault(10, 11, blocks_store=True), PATIENT).verdict is Verdict.UNKNOWN


def test_absence_that_nobody_can_speak_of_is_unknown() -> None:
    assert judged(AWAY).verdict is Verdict.UNKNOWN
    assert judged(AWAY, absent("faults.jsonl")).verdict is Verdict.UNKNOWN
    assert judged(AWAY, received("shaketable", *every(0.1, 10, 20))).verdict is Verdict.UNKNOWN


def test_few_attempts_with_pauses_are_no_storm() -> None:
    found = judged(AWAY, PATIENT, received("worker-2.1", *every(0.5, 11, 20)))
    assert found.verdict is Verdict.PASSED, found
    assert (found.counts["connections_per_s"], found.counts["statements_per_s"]) == (0.5, 1.8)


def test_connections_without_pause_are_a_storm() -> None:
    found = judged(AWAY, PATIENT, sunk("worker-2", *every(0.1, 10, 20), by="worker-2.1"))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"storm": ["worker-2 at 10.00 s: 100 connections in 10.0 s (budget 5/s)"]}


def test_statements_without_pause_are_a_storm_too() -> None:
    found = judged(AWAY, received("worker-1.2", *every(0.01, 10, 20)))
    assert found.members == {"storm": ["worker-1 at 10.00 s: 1000 statements in 10.0 s (budget 50/s)"]}


def test_what_came_before_or_after_the_absence_is_no_retry() -> None:
    busy = received("worker-1.1", *every(0.01, 0, 10), *every(0.01, 20, 30))
    assert judged(AWAY, PATIENT, busy).counts["statements_per_s"] == 0


def test_each_process_has_a_budget_of_its_own() -> None:
    many = [sunk(f"worker-{n}", *every(0.25, 10, 20)) for n in range(1, 9)]
    assert judged(AWAY, *many).verdict is Verdict.PASSED
    assert judged(AWAY, *many, connections_per_s=3).counts["storm"] == 8


def test_dead_letters_tried_a_few_times_with_pauses_pass() -> None:
    found = judged(sent("a").acknowledged(1), letter("a", 6, 10))
    assert (found.verdict, found.counts["letters"]) == (Verdict.PASSED, 1)
    assert judged(sent("a").acknowledged(1), letter("a", 1, 0)).verdict is Verdict.PASSED


def test_dead_letter_tried_too_often_or_without_pause_was_hammered() -> None:
    found = judged(sent("a").acknowledged(1), letter("a", 21, 50), letter("b", 6, 0.05), letter("c", 6, 1))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"hammered": ["a: 21 attempts, 2.5 s apart", "b: 6 attempts, 0.0102 s apart"]}


def test_dead_letters_whose_word_cannot_be_read_are_not_judged() -> None:
    assert judged(dead("a", attempts=None)).verdict is Verdict.UNKNOWN
    assert judged(dead("a", attempts=3, first_failed_at="yesterday")).verdict is Verdict.PASSED


DELIVERS = target(store="outbound", queue_service="postgres")


def test_store_other_than_postgres_is_judged_by_its_own_sinks() -> None:
    statements = received("worker-1.1", *every(0.01, 10, 20))  # to its outbox, which is no retry
    calm = judged(AWAY, DELIVERS, statements, sunk("worker-1", 11, 15, service="outbound"))
    assert (calm.verdict, calm.counts["connections_per_s"]) == (Verdict.PASSED, 0.2)
    storm = judged(AWAY, DELIVERS, statements, sunk("worker-1", *every(0.1, 10, 20), service="outbound"))
    assert storm.members == {"storm": ["worker-1 at 10.00 s: 100 connections in 10.0 s (budget 5/s)"]}


def test_store_of_which_no_sink_speaks_is_unknown_whatever_the_log_of_postgres_has() -> None:
    assert judged(AWAY, DELIVERS, received("worker-1.1", 11, 12), PATIENT).verdict is Verdict.UNKNOWN


def test_intake_whose_queue_is_in_the_store_sends_what_clients_send() -> None:
    process = [{"name": "api", "command": ["api"]}, {"name": "worker", "command": ["worker"], "count": 2}]
    same = target(store="postgres", queue_service="postgres", ingest={"process": "api"}, process=process)
    busy = received("api.1", *every(0.01, 10, 20))
    assert judged(AWAY, same, busy).verdict is Verdict.UNKNOWN  # nothing was seen of any other
    assert judged(AWAY, same, busy, PATIENT).verdict is Verdict.PASSED
    assert judged(AWAY, same, busy, received("worker-1.1", *every(0.01, 10, 20))).counts["storm"] == 1


@pytest.mark.parametrize("at", ["2027-01-15T08:00:12Z", 1_800_000_012])
def test_times_in_whole_seconds_may_be_a_second_further_apart(at: str | int) -> None:
    def tried(attempts: int) -> Finding:
        return judged(sent("a").acknowledged(1), dead("a", attempts=attempts, first_failed_at=at, last_failed_at=at))

    assert tried(3).verdict is Verdict.PASSED
    assert tried(23).members == {"hammered": ["a: 23 attempts, 0.0455 s apart"]}
