"""Counters of /metrics against the history, and Retry-After where it is promised: parts of status_honest."""

from __future__ import annotations

import pytest

from shaketable.checks import StatusHonest
from shaketable.checks.check import Finding, Verdict
from tests.support.book import Part
from tests.support.histories import (
    absent,
    breaker,
    counted,
    every,
    exited,
    history,
    probe,
    sent,
    started,
    stored,
    target,
)

#: Two events, one of them acknowledged twice, all over after 10 s.
LIFE = (
    probe(*every(0.2, 0, 90)),
    breaker((0, "CLOSED")),
    started("ingest"),
    started("worker-1"),
    sent("a", at=1).acknowledged(2).again(3, "after_ack").acknowledged(4),
    sent("b", at=5).indeterminate(6, 504),
    stored("a", at=7),
    stored("b", at=10),
)
PROMISED = target(capabilities={"retry_after": True})


def judged(*parts: Part) -> Finding:
    return StatusHonest().judge(history(*LIFE, *parts))


def accepted(*readings: tuple[float, float], incarnation: int = 1) -> Part:
    return counted("ingest", *readings, incarnation=incarnation, counter="accepted")


def committed(rows: float, duplicates: float = 0) -> tuple[Part, ...]:
    return counted("worker-1", (80, rows)), counted("worker-1", (80, duplicates), counter="duplicates")


#: Each shows nothing that is judged, after all is done.
SILENT_INGEST, SILENT_WORKER = (counted(name, (80, 0), counter="other") for name in ("ingest", "worker-1"))


def test_counters_that_only_rise_and_agree_with_what_happened_are_honest() -> None:
    found = judged(accepted((1, 0), (3, 1), (80, 2)), *committed(2))
    assert (found.verdict, found.counts["sums_judged"], found.counts["falling"]) == (Verdict.PASSED, 1, 0)


def test_target_that_shows_no_counters_is_judged_by_the_rest() -> None:
    assert judged().counts["sums_judged"] == 0
    assert judged(absent("stored.jsonl"), accepted((80, 2))).counts["sums_judged"] == 0


def test_counter_that_goes_back_is_false_unless_its_process_was_started_again() -> None:
    found = judged(accepted((20, 2), (30, 1), (80, 2)))
    assert (found.verdict, found.counts["falling"]) == (Verdict.FAILED, 1)
    again = exited("ingest", 25), started("ingest", 26, incarnation=2)
    assert judged(*again, accepted((20, 2)), accepted((30, 0), (80, 0), incarnation=2)).verdict is Verdict.PASSED


@pytest.mark.parametrize(("count", "verdict"), [(0, "failed"), (1, "passed"), (3, "passed"), (4, "failed")])
def test_accepted_is_between_the_acknowledged_events_and_the_attempts_that_may_have_been(
    count: int, verdict: str
) -> None:
    assert judged(accepted((80, count)), SILENT_WORKER).verdict == verdict


@pytest.mark.parametrize(
    ("rows", "duplicates", "verdict"), [(1, 0, "failed"), (1, 1, "passed"), (2, 5, "passed"), (3, 0, "failed")]
)
def test_stored_is_the_number_of_rows_less_those_that_duplicates_may_account_for(
    rows: int, duplicates: int, verdict: str
) -> None:
    assert judged(*committed(rows, duplicates), SILENT_INGEST).verdict == verdict


def test_too_little_is_not_judged_where_a_process_ended_or_was_read_too_early() -> None:
    killed = exited("worker-1", 20), started("worker-1", 21, incarnation=2)
    assert judged(*killed, SILENT_INGEST, *committed(0)).verdict is Verdict.PASSED
    assert judged(*killed, SILENT_INGEST, *committed(3)).verdict is Verdict.FAILED
    assert judged(accepted((10.5, 0)), *committed(2)).verdict is Verdict.PASSED, "half a second after the last commit"


def test_rows_that_are_updated_in_place_say_nothing_of_stored() -> None:
    assert judged(*committed(3), target(stored={"updates": True})).verdict is Verdict.PASSED


def test_refusal_for_now_without_retry_after_is_false_where_it_is_promised() -> None:
    refused = sent("c", at=20).refused(21, 503).again(22).refused(23, 503, retry_after=1)
    found = judged(refused, PROMISED)
    assert (found.verdict, found.counts["unadvised"]) == (Verdict.FAILED, 1)
    assert judged(refused).verdict is Verdict.PASSED, "nobody promised it"
    assert judged(sent("c", at=20).refused(21, 503, retry_after=1), PROMISED).verdict is Verdict.PASSED
    assert judged(sent("c", at=20).refused(21, 400), PROMISED).verdict is Verdict.PASSED
    assert judged(refused, PROMISED, target(ingest={"process": "ingest", "batch": {}})).verdict is Verdict.PASSED
