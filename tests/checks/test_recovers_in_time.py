"""Of the literal target: recovery 3 s, lease 3 s, attempt 1 s, grace 1 s: by default 11 s, the backlog 41 s."""

from typing import Any

import pytest

from shaketable.checks import RecoversInTime
from shaketable.checks.check import Finding, Verdict
from tests.support.book import Part
from tests.support.histories import absent, asks, breaker, every, fault, history, phase, probe, sent, stored, target

AWAY = fault(10, 30, blocks_store=True)
BEFORE = probe(*every(1, 0, 10))
BAD = probe(*every(1, 10, 32), health=60, queue=9)
WELL = probe(*every(1, 32, 100))
LIFE = breaker((0, "CLOSED"), (12, "OPEN"), (29, "HALF_OPEN"), (31, "CLOSED"))
WORK = (sent("a", at=20).acknowledged(21), stored("a", at=31.5))
SANE = (AWAY, BEFORE, BAD, WELL, LIFE, *WORK)


def judged(*parts: Part, **budgets: Any) -> Finding:
    return RecoversInTime(**budgets).judge(history(*parts))


def test_nothing_broken_is_not_applicable() -> None:
    assert judged(WELL, LIFE).verdict is Verdict.NOT_APPLICABLE


def test_run_cut_off_or_blind_is_unknown() -> None:
    assert judged(*SANE, phase("shake", 5)).verdict is Verdict.UNKNOWN
    assert judged(AWAY, LIFE, *WORK, absent("probes.jsonl")).verdict is Verdict.UNKNOWN


def test_recovery_is_measured_from_the_last_healing() -> None:
    found = judged(*SANE)
    assert found.verdict is Verdict.PASSED, found
    assert found.counts == {"commit_s": 1.5, "closed_s": 1.0, "healthy_s": 2.0, "backlog_s": 2.0}


@pytest.mark.parametrize(
    ("budget", "late"),
    [
        ("commit_within_s", "commit"),
        ("closed_within_s", "closed"),
        ("healthy_within_s", "healthy"),
        ("backlog_within_s", "backlog"),
    ],
)
def test_whatever_takes_longer_than_its_budget_is_late(budget: str, late: str) -> None:
    found = judged(*SANE, **{budget: 0.5})
    assert found.verdict is Verdict.FAILED
    assert found.why.startswith(late)


def test_nothing_stored_after_the_healing_has_not_recovered() -> None:
    found = judged(
        AWAY,
        BEFORE,
        BAD,
        WELL,
        LIFE,
        sent("a", at=20).acknowledged(21),
        sent("b", at=1).acknowledged(2),
        stored("b", at=3),
    )
    assert found.members == {"late": ["commit: never (budget 11 s)"]}


def test_without_commit_times_the_count_of_rows_tells() -> None:
    counted = probe(29, 30, 31, 33, queue=9, stored=5), probe(34, stored=6)
    found = judged(AWAY, BEFORE, BAD, WELL, LIFE, *counted, sent("a", at=20).acknowledged(21), stored("a", at=None))
    assert found.counts["commit_s"] == 4


def test_breaker_that_is_not_closed_at_the_end_has_not_recovered() -> None:
    found = judged(AWAY, BEFORE, BAD, WELL, breaker((0, "CLOSED"), (12, "OPEN")), *WORK)
    assert found.members == {"late": ["closed: never (budget 11 s)"]}


def test_health_that_stays_ill_has_not_recovered() -> None:
    found = judged(AWAY, BEFORE, BAD, probe(*every(1, 32, 100), health=70), LIFE, *WORK)
    assert found.members == {"late": ["healthy: never (budget 11 s)"]}


def test_backlog_that_is_still_there_at_the_end_never_went() -> None:
    found = judged(AWAY, BEFORE, BAD, probe(*every(1, 32, 100), queue=3), LIFE, *WORK)
    assert found.members == {"late": ["backlog: never (budget 41 s)"]}


def test_queue_as_long_as_before_the_fault_is_no_backlog() -> None:
    assert (
        judged(AWAY, probe(*every(1, 0, 10), queue=5), BAD, probe(*every(1, 32, 100), queue=5), LIFE, *WORK).verdict
        is Verdict.PASSED
    )


def test_what_the_target_does_not_claim_is_not_asked() -> None:
    plain = target(capabilities={"breaker": False, "health": False})
    found = judged(AWAY, BEFORE, BAD, WELL, *WORK, plain)
    assert (found.verdict, set(found.counts)) == (Verdict.PASSED, {"commit_s", "backlog_s"})


def test_target_that_stays_slower_has_not_recovered() -> None:
    assert judged(*SANE, *served(0.1), *served(0.1, since=40)).counts["slower"] == 1.0
    found = judged(*SANE, *served(0.1), *served(1.0, since=40))
    assert found.verdict is Verdict.FAILED
    assert found.why.startswith("slower: 10.0 times")
    assert judged(*SANE, *served(0.1), *served(1.0, since=40), slower_times=11).verdict is Verdict.PASSED


def test_slowness_that_the_harness_shares_is_the_machines() -> None:
    slow = served(1.0, since=40)
    found = judged(*SANE, *served(0.1, late=0.003), *served(1.0, since=40, late=0.02))
    assert found.verdict is Verdict.UNKNOWN
    assert found.why.endswith("but the harness itself sent 6.7 times as late: a busier machine")
    assert judged(*SANE, *served(0.1, late=0.01), *served(1.0, since=40, late=0.02)).verdict is Verdict.FAILED
    assert judged(*SANE, *served(0.1, late=0.001), *served(1.0, since=40, late=0.009)).verdict is Verdict.FAILED
    assert judged(*SANE[:-1], *served(0.1, late=0.003), *slow).verdict is Verdict.FAILED


def test_busier_machine_excuses_nothing_else() -> None:
    busier = (*served(0.1, late=0.003), *served(1.0, since=40, late=0.02))
    found = judged(*SANE, *busier, backlog_within_s=1)
    assert (found.verdict, found.why) == (Verdict.FAILED, "backlog: 2.0 s (budget 1 s)")


def test_slowness_that_nobody_notices_is_none() -> None:
    assert judged(*SANE, *served(0.01), *served(0.2, since=40)).counts["slower"] == 1.0


def served(took: float, since: float = 0, late: float = 0.0) -> list[Part]:
    """Events stored that many seconds after they were due, sent so many late by the harness."""
    parts: list[Part] = []
    for at in every(0.25, since, since + 7):
        event = sent(f"s{at}", at=at + late, due=at, late=late).acknowledged(at + late + 0.001)
        parts += [event, stored(f"s{at}", at=at + took)]
    return parts


def test_backlog_that_goes_only_after_the_last_event_may_hide_slowness() -> None:
    parts = [fault(10, 20, blocks_store=True)]
    for at in every(0.2, 0, 60):
        event_id = f"{round(at * 5):08x}-0000-4000-8000-000000000000"
        parts += [sent(event_id, at=at).acknowledged(at + 0.1), stored(event_id, at=at + (0.2 if at < 10 else 5))]
    for queue, times in ((0, range(1, 10)), (9, range(11, 65)), (0, range(66, 90))):
        parts.append(probe(*times, queue=queue, health=100))
    found = RecoversInTime(backlog_within_s=90).judge(history(*parts))
    assert found.verdict is Verdict.UNKNOWN
    assert "slower" in found.why
    assert "run literal@4 on this target" in found.why


def refused(until: float) -> list[Part]:
    """Events that the outage refused, and that the clients sent again only then."""
    return [sent(f"r{at}", at=at).refused(at + 0.1).again(until).acknowledged(until + 0.1) for at in every(1, 12, 30)]


@pytest.mark.parametrize(("until", "since", "verdict"), [(39, 31, Verdict.UNKNOWN), (60, 43, Verdict.FAILED)])
def test_clients_that_wait_after_an_outage_are_the_slowness_of_the_target_only_after_its_time(
    until: float, since: float, verdict: Verdict
) -> None:
    assert judged(*SANE, *refused(until), *served(0.1), *served(5.0, since)).verdict is verdict


#: A processor whose breakers recover after 42 s, which no setting reaches; watched for 14.7 s after the healing.
PATIENT = target(timing={"recovery_s": 42}), phase("baseline", 0), phase("observe", 44.7)
TWO = (
    breaker((0, "CLOSED"), (12, "OPEN"), (29, "HALF_OPEN"), (31, "CLOSED")),
    breaker((0, "CLOSED"), (12, "OPEN"), process="worker-2"),
)
WATCHED = AWAY, BEFORE, BAD, probe(*every(0.2, 32, 44)), *TWO, *WORK


def test_breaker_whose_recovery_is_due_after_the_run_stopped_watching_is_unknown() -> None:
    found = judged(*WATCHED, *PATIENT)
    assert found.verdict is Verdict.UNKNOWN, found
    assert "closed (budget 89 s)" in found.why
    late = *WATCHED, target(timing={"recovery_s": 42}), phase("baseline", 0), phase("observe", 130)
    assert judged(*late).members == {"late": ["closed: never (budget 89 s)"]}


@pytest.mark.parametrize("measure", ["commit", "closed", "healthy", "backlog"])
def test_budget_does_not_apply_where_its_setting_did_not_reach_the_target(measure: str) -> None:
    budget = {f"{measure}_within_s": 0.5}
    asked = asks(settings={"breaker_recovery_s": 1, "lease_s": 2})
    assert judged(*SANE, **budget).verdict is Verdict.FAILED
    assert judged(*SANE, asked, **budget).verdict is Verdict.PASSED, "recovery 2 s longer, lease 1 s longer"
    assert judged(*SANE, asked, taking("breaker_recovery_s", "lease_s"), **budget).verdict is Verdict.FAILED
    assert judged(*SANE, asks(settings={"lease_s": 3}), **budget).verdict is Verdict.FAILED, "no longer than asked"
    own = asks(settings={"breaker_recovery_s": 1, "lease_s": 2}, budgets=["recovery_s=0.5"])
    assert judged(*SANE, own, **budget).verdict is Verdict.FAILED, "the user's own budget"


@pytest.mark.parametrize("other", ["memory_bounded.per_event_bytes=9", "recovers_in_time.slower_times=9"])
def test_budget_of_the_user_leaves_the_other_budgets_of_the_scenario_as_they_are(other: str) -> None:
    asked = asks(settings={"breaker_recovery_s": 1, "lease_s": 2}, budgets=[other])
    assert judged(*SANE, asked, commit_within_s=0.5).verdict is Verdict.PASSED
    own = asks(settings={"breaker_recovery_s": 1, "lease_s": 2}, budgets=[other, "recovers_in_time.commit_within_s=1"])
    assert judged(*SANE, own, commit_within_s=0.5).verdict is Verdict.FAILED


def test_budget_for_a_pause_that_did_not_reach_the_target_is_at_least_the_usual_one() -> None:
    asked = asks(settings={"retry_cap_s": 1})
    assert judged(*SANE, asked, commit_within_s=0.5).verdict is Verdict.PASSED
    assert judged(*SANE, asked, taking("retry_cap_s"), commit_within_s=0.5).verdict is Verdict.FAILED


def taking(*names: str) -> Part:
    return target(settings={name: name.upper() for name in names})


def test_nothing_left_to_store_means_no_commit_is_awaited() -> None:
    cut = fault(10, 30, blocks_intake=True, kind="reset")
    early = [
        part for n in range(5) for part in (sent(f"e{n}", at=1 + n).acknowledged(2 + n), stored(f"e{n}", at=3 + n))
    ]
    answered_late = (sent("x", at=9.9).indeterminate(10.1).again(31).acknowledged(31.1), stored("x", at=10.05))
    calm = (probe(*every(1, 0, 100)), breaker((0, "CLOSED")))
    assert "commit_s" not in judged(cut, *early, *answered_late, *calm).counts
    assert judged(cut, *early, *answered_late, *calm).verdict is not Verdict.FAILED
    lost = sent("y", at=9.9).indeterminate(10.1).again(31).acknowledged(31.1)
    assert "commit" in judged(cut, *early, lost, *calm).why
