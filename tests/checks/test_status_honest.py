"""Of the literal target: health grace 1 s, so a status may be 3 s old (lag_s). Readings every 0.2 s."""

from typing import Any

import pytest

from shaketable.checks import StatusHonest
from shaketable.checks.check import Finding, Verdict
from shaketable.checks.verdict import judge_history
from tests.support.book import Part
from tests.support.histories import (
    absent,
    asks,
    breaker,
    dead,
    every,
    exited,
    fault,
    history,
    probe,
    sent,
    stored,
    target,
)

LIFE = breaker((0, "CLOSED"), (20, "OPEN"), (40, "HALF_OPEN"), (40.5, "CLOSED"))


def judged(*parts: Part, **budgets: Any) -> Finding:
    return StatusHonest(**budgets).judge(history(*parts))


def said(begin: float, end: float, state: str | None = None, **more: Any) -> Part:
    """The same status from `begin` to `end`."""
    return probe(*every(0.2, begin, end), breaker=state, **more)


TRUE = said(0, 20.5, "CLOSED"), said(20.5, 40.5, "OPEN"), said(40.5, 90, "CLOSED")


def test_nobody_asked_or_nothing_reported_is_unknown() -> None:
    assert judged(absent("probes.jsonl")).verdict is Verdict.UNKNOWN
    assert judged(said(0, 50)).verdict is Verdict.UNKNOWN


def test_target_that_claims_no_health_is_not_judged() -> None:
    assert judged(*TRUE, target(capabilities={"health": False})).verdict is Verdict.NOT_APPLICABLE


def test_state_that_the_breaker_was_in_is_honest() -> None:
    found = judged(*TRUE, LIFE)
    assert found.verdict is Verdict.PASSED, found
    assert found.counts["breaker_judged"] > 300


@pytest.mark.parametrize(("state", "since"), [("CLOSED", 23), ("HALF_OPEN", 20)])
def test_state_that_the_breaker_was_not_in_is_false(state: str, since: float) -> None:
    found = judged(said(0, 20, "CLOSED"), said(20, 40, state), said(40, 40.6, "OPEN"), said(40.6, 90, "CLOSED"), LIFE)
    assert found.verdict is Verdict.FAILED
    assert found.counts["false_breaker_s"] == pytest.approx(40 - since, abs=0.3)
    assert found.members["false_breaker"][-1] == f"39.80 s: {state}, was OPEN"


def test_state_of_the_answer_counts_not_that_of_the_request() -> None:
    life = breaker((0, "CLOSED"), (10.5, "OPEN"))
    slow = probe(*every(1, 10, 14), breaker="OPEN", took=0.9), said(0, 10, "CLOSED")
    assert judged(*slow, life).counts["false_breaker_s"] == 0
    early = probe(*every(1, 9, 14), breaker="OPEN", took=0.9), said(0, 9, "CLOSED")
    assert judged(*early, life).counts["false_breaker_s"] == pytest.approx(1, abs=0.3)


def test_false_status_on_a_starved_or_contended_machine_is_unknown_unless_it_lasts() -> None:
    lag = said(0, 26, "CLOSED"), said(26, 40.5, "OPEN"), said(40.5, 90, "CLOSED"), LIFE
    assert verdict(*lag) is Verdict.FAILED
    late = [
        part for n in range(30) for part in (sent(f"e{n}", n + 1, due=n, late=1).acknowledged(n + 2), stored(f"e{n}"))
    ]
    assert verdict(*lag, *late) is Verdict.UNKNOWN
    busy = {"cpu_busy": 1.0, "cpu_others": 0.7}
    contended = said(0, 26, "CLOSED", **busy), said(26, 40.5, "OPEN", **busy), said(40.5, 90, "CLOSED", **busy), LIFE
    assert verdict(*contended) is Verdict.UNKNOWN, "3 s late: a heartbeat had to wait for the machine"
    always = said(0, 90, "CLOSED", **busy), breaker((0, "CLOSED"), (20, "OPEN"))
    assert verdict(*always) is Verdict.FAILED


def verdict(*parts: Part) -> Verdict:
    """Of the check as one that the scenario names."""
    return judge_history(history(*parts, asks(StatusHonest()))).checks["status_honest"].verdict


def test_worst_state_of_the_living_counts() -> None:
    closed = breaker((0, "CLOSED"), process="worker-2")
    assert judged(*TRUE, LIFE, closed).verdict is Verdict.PASSED
    assert judged(said(0, 90, "CLOSED"), LIFE, closed).verdict is Verdict.FAILED
    died = exited("worker-1", 25, asked=False)
    after = said(0, 20, "CLOSED"), said(20, 27, "OPEN"), said(27, 90, "CLOSED")
    open_ = breaker((0, "CLOSED"), (20, "OPEN"))
    assert judged(*after, open_, closed, died).verdict is Verdict.PASSED, "a dead worker may count for a while"
    assert judged(*after, open_, closed).verdict is Verdict.FAILED


def test_missing_transition_is_no_evidence() -> None:
    gap = breaker((0, "CLOSED")), breaker((20, "OPEN"), first_seq=5, before="CLOSED")
    assert judged(said(0, 90, "CLOSED"), *gap).verdict is Verdict.UNKNOWN


def test_readings_while_the_intake_or_a_process_is_disturbed_are_not_judged() -> None:
    told = said(0, 90, "CLOSED"), LIFE
    assert judged(*told, fault(19, 38, blocks_intake=True)).verdict is Verdict.PASSED
    assert judged(*told, fault(19, 38, process="worker-1")).verdict is Verdict.PASSED
    assert judged(*told, fault(19, 38, blocks_store=True)).verdict is Verdict.FAILED


@pytest.mark.parametrize(("depth", "verdict"), [(0, "failed"), (900, "passed"), (2200, "failed"), (600, "passed")])
def test_depth_is_about_the_length_of_the_queue(depth: int, verdict: str) -> None:
    long = probe(*every(0.2, 20, 40), queue=1000, depth=depth)
    found = judged(probe(*every(0.2, 0, 20), queue=0, depth=0), long)
    assert found.verdict == verdict
    assert found.counts["depth_judged"] > 100


def test_depth_beside_an_unknown_queue_is_not_judged() -> None:
    assert judged(probe(*every(0.2, 0, 40), queue=None, depth=5)).verdict is Verdict.UNKNOWN
    found = judged(probe(*every(0.2, 0, 20), queue=0, depth=0), probe(*every(0.2, 20, 40), queue=None, depth=5000))
    assert found.verdict is Verdict.PASSED
    assert found.counts["depth_judged"] < 100


def test_breaker_of_no_living_process_is_not_judged() -> None:
    late = breaker((60, "CLOSED"))
    assert judged(said(0, 50, "OPEN"), late).verdict is Verdict.UNKNOWN


def test_dead_letters_at_the_end_are_counted() -> None:
    long_ago = dead("a", last_failed_at="2027-01-15T08:00:05Z")
    assert judged(said(0, 90, dead=1), long_ago).verdict is Verdict.PASSED
    found = judged(said(0, 90, dead=0), long_ago)
    assert (found.verdict, found.counts["false_dead"]) == (Verdict.FAILED, 1)
    just_now = dead("a", last_failed_at="2027-01-15T08:01:29Z")
    assert judged(said(0, 90, dead=0), just_now).verdict is Verdict.UNKNOWN, "it may not have counted it yet"


@pytest.mark.parametrize("told", [None, "yesterday"])
def test_dead_letter_without_a_time_counts_only_if_nothing_could_have_died_lately(told: str | None) -> None:
    letter = dead("a", last_failed_at=told)
    moving = said(0, 88, dead=0), said(88, 88.4, dead=0, queue=1), said(88.4, 90, dead=0)
    assert judged(*moving, letter).verdict is Verdict.UNKNOWN
    assert judged(said(0, 90, dead=0), sent("a", at=89).acknowledged(89.1), letter).verdict is Verdict.UNKNOWN
    assert judged(said(0, 90, dead=0, queue=None), letter).verdict is Verdict.UNKNOWN
    assert judged(said(0, 90, dead=0), sent("a", at=50).acknowledged(50.1), letter).verdict is Verdict.FAILED
