"""Budgets of the literal checks here: acknowledged within 1 s, stored within 5 s, all of them; one event is enough."""

from typing import Any

from shaketable.checks import LatencyBudget
from shaketable.checks.check import Finding, Verdict
from tests.support.book import Part
from tests.support.histories import (
    absent,
    asks,
    dead,
    every,
    fault,
    history,
    phase,
    probe,
    queued,
    sent,
    stored,
    target,
    unsent,
)

IN_TIME = (sent("a", at=1).acknowledged(1.2), stored("a", at=2))
AWAY = fault(10, 20, blocks_store=True)
DRAINED = probe(*every(1, 0, 10)), probe(*every(1, 10, 26), queue=9), probe(*every(1, 26, 100))


def judged(*parts: Part, **budgets: Any) -> Finding:
    return LatencyBudget(**({"acknowledged_share": 1, "stored_share": 1, "least_judged": 1} | budgets)).judge(
        history(*parts)
    )


def test_nothing_sent_or_nothing_observed_is_unknown() -> None:
    assert judged().verdict is Verdict.UNKNOWN
    assert judged(absent("schedule.jsonl")).verdict is Verdict.UNKNOWN
    assert judged(*IN_TIME, absent("stored.jsonl")).verdict is Verdict.UNKNOWN


def test_rows_without_commit_times_are_unknown_but_a_slow_intake_fails_all_the_same() -> None:
    assert judged(sent("a", at=1).acknowledged(1.2), stored("a", at=None)).verdict is Verdict.UNKNOWN
    assert judged(sent("a", at=1).acknowledged(3), stored("a", at=None)).verdict is Verdict.FAILED
    only_intake = judged(sent("a", at=1).acknowledged(1.2), stored("a", at=None), stored_within_s=None)
    assert only_intake.verdict is Verdict.PASSED


def test_acknowledged_and_stored_in_time_passes_with_its_quantiles() -> None:
    found = judged(*IN_TIME)
    assert found.verdict is Verdict.PASSED, found
    assert found.counts == {
        "acknowledged_judged": 1,
        "acknowledged_late": 0,
        "acknowledged_p50_s": 0.2,
        "acknowledged_p99_s": 0.2,
        "stored_judged": 1,
        "stored_late": 0,
        "stored_p50_s": 1.0,
        "stored_p99_s": 1.0,
    }


def test_latency_counts_from_the_intended_time() -> None:
    found = judged(*IN_TIME, sent("b", at=4, due=2).acknowledged(4.1), stored("b", at=4.2))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"acknowledged_late": ["b"]}


def test_what_the_harness_itself_lost_is_not_the_targets() -> None:
    late = sent("b", at=4, due=2, late=2).acknowledged(4.9), stored("b", at=8.9)
    assert judged(*IN_TIME, *late).verdict is Verdict.PASSED
    slow = sent("b", at=4, due=2, late=2).acknowledged(5.1), stored("b", at=9.1)
    assert judged(*IN_TIME, *slow).members == {"acknowledged_late": ["b"], "stored_late": ["b"]}


def test_event_acknowledged_in_time_and_stored_too_late_is_late() -> None:
    found = judged(*IN_TIME, sent("b", at=2).acknowledged(2.1), stored("b", at=7.5))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"stored_late": ["b"]}
    assert found.why == "1 of 2 events were not stored within 5 s (at least 100.0%)"


def test_what_never_comes_is_late() -> None:
    found = judged(*IN_TIME, sent("b", at=2).acknowledged(2.1), sent("c", at=3).refused(3.1, 503), queued(1))
    assert found.members == {"acknowledged_late": ["c"], "stored_late": ["b"]}


def test_lost_events_are_no_loss_s_and_not_late() -> None:
    found = judged(*IN_TIME, sent("b", at=2).acknowledged(2.1))
    assert (found.verdict, found.counts["stored_judged"]) == (Verdict.PASSED, 1)
    resent = sent("b", at=2).acknowledged(2.1).again(60, "drain").acknowledged(60.1), stored("b", at=60.2)
    assert judged(*IN_TIME, *resent, probe(*every(0.2, 0, 70), stored=1, stored_age_s=0.1)).verdict is Verdict.PASSED
    assert judged(*IN_TIME, *resent).members == {"stored_late": ["b"]}


def test_share_of_a_handful_of_events_is_unknown_and_a_breach_is_a_breach() -> None:
    found = judged(*IN_TIME, least_judged=20)
    assert (found.verdict, found.counts["stored_judged"]) == (Verdict.UNKNOWN, 1)
    late = sent("b", at=2).acknowledged(2.1), stored("b", at=9)
    assert judged(*IN_TIME, *late, least_judged=20).verdict is Verdict.FAILED


def own(*budgets: str) -> Part:
    return asks(settings={"lease_s": 1}, budgets=budgets)


def test_freshness_made_for_a_lease_that_did_not_reach_the_target_is_unknown() -> None:
    late, asks_lease = (sent("b", at=12).acknowledged(12.1), stored("b", at=19)), asks(settings={"lease_s": 1})
    parts = *IN_TIME, fault(10, 11), *late, asks_lease
    assert judged(*parts).verdict is Verdict.UNKNOWN
    assert judged(*parts, own("recovery_s=9", "intake_p99_ms=9")).verdict is Verdict.UNKNOWN
    assert judged(*parts, own("freshness_p99_s=5")).verdict is Verdict.FAILED, "the user's own budget"
    assert judged(*parts, target(settings={"lease_s": "LEASE_S"})).verdict is Verdict.FAILED
    assert judged(*parts, target(timing={"lease_s": 1})).verdict is Verdict.FAILED
    assert judged(*IN_TIME, *late, asks_lease).verdict is Verdict.FAILED, "nothing was broken"
    assert judged(*parts, sent("c", at=3).acknowledged(9), stored("c", at=9)).verdict is Verdict.FAILED, "intake"


def test_as_many_as_the_share_allows_may_be_late() -> None:
    late = sent("b", at=2).acknowledged(4), stored("b", at=9)
    assert judged(*IN_TIME, *late, acknowledged_share=0.5, stored_share=0.5).verdict is Verdict.PASSED


def test_dead_letters_malformed_and_unsent_events_are_not_asked() -> None:
    others = sent("d", at=2).acknowledged(2.1), dead("d"), sent("m", at=3, expect="refuse").refused(9), unsent("u", 4)
    found = judged(*IN_TIME, *others)
    assert found.verdict is Verdict.PASSED
    assert (found.counts["acknowledged_judged"], found.counts["stored_judged"]) == (2, 1)


def test_event_due_too_shortly_before_the_run_stopped_watching_is_not_judged() -> None:
    late = (sent("b", at=98).acknowledged(98.1), queued(1))
    assert judged(*IN_TIME, *late).counts["stored_judged"] == 1
    found = judged(*IN_TIME, *late, phase("observe", 104))
    assert found.members == {"stored_late": ["b"]}


def test_freshness_is_not_asked_while_the_store_is_away_and_until_the_backlog_is_gone() -> None:
    held = [
        part for at in (6, 12, 25) for part in (sent(f"{at}", at=at).acknowledged(at + 0.1), stored(f"{at}", at=40))
    ]
    found = judged(*IN_TIME, AWAY, *DRAINED, *held)
    assert (found.verdict, found.counts["stored_judged"]) == (Verdict.PASSED, 1)
    for at in (4, 27):
        late = sent("b", at=at).acknowledged(at + 0.1), stored("b", at=40)
        assert judged(*IN_TIME, AWAY, *DRAINED, *held, *late).members == {"stored_late": ["b"]}


def test_intake_is_asked_while_only_the_store_is_away() -> None:
    assert judged(*IN_TIME, AWAY, *DRAINED, sent("b", at=12).acknowledged(14)).members == {"acknowledged_late": ["b"]}
    blocked = fault(10, 20, blocks_intake=True), *DRAINED
    assert judged(*IN_TIME, *blocked, sent("b", at=12).acknowledged(21), stored("b", at=22)).verdict is Verdict.PASSED


def test_clients_that_still_wait_after_the_healing_are_a_backlog_too() -> None:
    blocked = fault(10, 20, blocks_intake=True), probe(*every(1, 0, 100))
    waiting = [part for n in range(8) for part in (sent(f"w{n}", at=11 + n).acknowledged(24 + n), stored(f"w{n}", 33))]
    late = sent("b", at=29).acknowledged(31.5), stored("b", at=33)
    assert judged(*IN_TIME, *blocked, *waiting, *late).verdict is Verdict.PASSED
    after = sent("c", at=40).acknowledged(42), stored("c", at=43)
    assert judged(*IN_TIME, *blocked, *waiting, *late, *after).members == {"acknowledged_late": ["c"]}


def test_backlog_that_never_goes_excuses_no_longer_than_the_drain() -> None:
    stuck = AWAY, probe(*every(1, 0, 10)), probe(*every(1, 10, 100), queue=9)
    held = sent("b", at=49).acknowledged(49.1), stored("b", at=70)
    assert judged(*IN_TIME, *stuck, *held).verdict is Verdict.PASSED
    late = sent("c", at=51).acknowledged(51.1), stored("c", at=70)
    assert judged(*IN_TIME, *stuck, *held, *late).members == {"stored_late": ["c"]}


def test_other_faults_excuse_nothing_and_a_run_with_nothing_to_judge_is_unknown() -> None:
    late = sent("b", at=12).acknowledged(12.1), stored("b", at=19)
    assert judged(*IN_TIME, fault(10, 20), *late).members == {"stored_late": ["b"]}
    assert judged(AWAY, *DRAINED, *late).verdict is Verdict.UNKNOWN
