"""Of the literal target: opens within 4 s, health grace 1 s; so 5 s after the store became unavailable it must tell."""

from shaketable.checks import HealthHonest
from shaketable.checks.check import Finding, Verdict
from tests.support.book import Part
from tests.support.histories import absent, breaker, dead, every, fault, history, phase, probe, sent, stored, target

AWAY = fault(10, 30, blocks_store=True)
WELL = probe(*every(0.2, 0, 11), *every(0.2, 31, 100))
SANE = (AWAY, WELL, probe(*every(0.2, 11, 31), health=60, queue=9))


def judged(*parts: Part, **budgets: float) -> Finding:
    return HealthHonest(**budgets).judge(history(*parts))


def test_nobody_asked_is_unknown() -> None:
    assert judged(AWAY).verdict is Verdict.UNKNOWN
    assert judged(AWAY, absent("probes.jsonl")).verdict is Verdict.UNKNOWN


def test_target_that_claims_no_health_is_not_judged() -> None:
    assert judged(*SANE, target(capabilities={"health": False})).verdict is Verdict.NOT_APPLICABLE


def test_health_that_follows_the_truth_is_honest() -> None:
    found = judged(*SANE)
    assert found.verdict is Verdict.PASSED, found
    assert found.counts["lag_s"] == 1.0
    assert found.counts["judged_away"] == 75


def test_health_that_is_always_well_lies() -> None:
    found = judged(AWAY, WELL, probe(*every(0.2, 11, 31), health=100, queue=9))
    assert found.verdict is Verdict.FAILED
    assert found.counts["falsely_well_s"] == 15
    assert found.members["falsely_well"][0] == "15.00 s: 100"


def test_health_of_exactly_seventy_is_ill() -> None:
    assert judged(AWAY, WELL, probe(*every(0.2, 11, 31), health=70, queue=9)).verdict is Verdict.PASSED


def test_health_that_never_recovers_lies() -> None:
    found = judged(
        AWAY,
        probe(*every(0.2, 0, 11)),
        probe(*every(0.2, 11, 31), health=60, queue=9),
        probe(*every(0.2, 31, 100), health=60),
    )
    assert found.verdict is Verdict.FAILED
    assert found.counts["falsely_ill_s"] > 60


def test_health_that_is_ill_before_anything_is_broken_lies() -> None:
    assert judged(probe(*every(0.2, 0, 9), health=10)).verdict is Verdict.FAILED


def test_no_answer_counts_as_ill() -> None:
    assert (
        judged(AWAY, WELL, probe(*every(0.2, 11, 31), answered=False, health=None, queue=9)).verdict is Verdict.PASSED
    )
    assert judged(probe(*every(0.2, 0, 9), answered=False, health=None)).verdict is Verdict.FAILED
    assert judged(probe(*every(0.2, 0, 9), answered=False, health=100)).verdict is Verdict.FAILED


def test_one_slow_answer_is_within_the_budget() -> None:
    assert judged(*SANE, probe(5.1, answered=False, health=None)).verdict is Verdict.PASSED
    assert judged(*SANE, probe(5.1, answered=False, health=None), ill_s=0).verdict is Verdict.FAILED


def test_while_something_is_still_stored_the_store_is_not_away() -> None:
    busy = [stored(f"e{i}", at=i) for i in range(10, 31)]
    always_well = AWAY, WELL, probe(*every(0.2, 11, 31), queue=9)
    assert judged(*always_well, *busy).verdict is Verdict.UNKNOWN


def test_outage_without_work_or_shorter_than_the_grace_is_unknown() -> None:
    assert judged(AWAY, WELL, probe(*every(0.2, 11, 31), queue=0)).verdict is Verdict.UNKNOWN
    assert judged(fault(10, 14, blocks_store=True), probe(*every(0.2, 0, 100))).verdict is Verdict.UNKNOWN


def test_where_the_queue_is_unknown_acknowledged_events_are_the_work() -> None:
    unseen = AWAY, probe(*every(0.2, 0, 100), queue=None)
    assert judged(*unseen).verdict is Verdict.UNKNOWN
    assert judged(*unseen, sent("a", at=20).acknowledged(21)).verdict is Verdict.FAILED


def test_other_faults_are_no_reason_to_be_ill_or_well() -> None:
    assert (
        judged(fault(10, 30), probe(*every(0.2, 0, 10)), probe(*every(0.2, 10, 30), health=0)).verdict is Verdict.PASSED
    )


def test_while_the_backlog_lasts_health_may_be_ill() -> None:
    draining = probe(*every(0.2, 31, 60), health=60, queue=9), probe(*every(0.2, 60, 100))
    assert (
        judged(AWAY, probe(*every(0.2, 0, 11)), probe(*every(0.2, 11, 31), health=60, queue=9), *draining).verdict
        is Verdict.PASSED
    )


def test_what_happens_after_the_run_stopped_watching_is_not_judged() -> None:
    ended = phase("baseline", 0), phase("observe", 50), probe(*every(0.2, 50, 100), answered=False, health=None)
    assert judged(probe(*every(0.2, 0, 50)), *ended).verdict is Verdict.PASSED


def test_run_without_faults_is_judged_by_its_calm() -> None:
    assert judged(WELL).verdict is Verdict.PASSED


def ill_until(end: float, *parts: Part) -> Finding:
    """Ill from the outage on until `end`; the store comes back at 30 s, and the queue is empty from then on."""
    return judged(
        AWAY,
        probe(*every(0.2, 0, 11)),
        probe(*every(0.2, 11, 30), health=60, queue=9),
        probe(*every(0.2, 30, end), health=60),
        probe(*every(0.2, end, 100)),
        *parts,
    )


def test_while_any_breaker_is_legally_open_it_may_be_ill() -> None:
    opened = breaker((-1, "CLOSED"), (14, "OPEN"), (35, "HALF_OPEN"), (35.1, "CLOSED"))
    assert ill_until(35).verdict is Verdict.FAILED
    assert ill_until(35, opened).verdict is Verdict.PASSED
    others = [stored(f"e{i}", at=i) for i in range(31, 35)]
    assert ill_until(35, opened, *others).verdict is Verdict.PASSED, "another worker stores, and the worst state counts"
    assert ill_until(38, opened, *others).verdict is Verdict.FAILED, "3 s after the last breaker closed"
    patient = breaker((-1, "CLOSED"), (14, "OPEN"), (70, "HALF_OPEN"), (70.1, "CLOSED"))
    assert ill_until(70, patient, *others, target(timing={"recovery_s": 42})).verdict is Verdict.PASSED
    assert ill_until(70, patient, *others).verdict is Verdict.FAILED, "longer than breaker_behaves lets it"


def test_breaker_that_stays_open_too_long_is_no_excuse() -> None:
    assert ill_until(60, breaker((-1, "CLOSED"), (14, "OPEN"))).verdict is Verdict.FAILED


def test_queue_that_is_burned_while_the_store_is_away_is_work() -> None:
    burned = sent("a", at=20).acknowledged(21), dead("a")
    assert judged(AWAY, WELL, probe(*every(0.2, 11, 31), queue=0), *burned).verdict is Verdict.FAILED
    assert judged(AWAY, WELL, probe(*every(0.2, 11, 31), health=60, queue=0), *burned).verdict is Verdict.PASSED
