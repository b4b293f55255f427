"""Of the literal target: threshold 3, recovery 3 s, opens within 4 s, attempt time-out 1 s."""

import pytest

from shaketable import rundir
from shaketable.checks import BreakerBehaves
from shaketable.checks.check import Finding, Verdict
from shaketable.op import UNREAD
from tests.support.book import Book, Part
from tests.support.histories import absent, breaker, empty, every, exited, fault, history, probe, received, sunk, target

AWAY = fault(10, 30, blocks_store=True)
#: Queue read every second: something waits while the store is unavailable.
WORK = probe(*every(1, 0, 100), queue=5)
SANE_LIFE = ((0, "CLOSED"), (12, "OPEN"), (15, "HALF_OPEN"), (15.01, "OPEN"), (29, "HALF_OPEN"), (30.5, "CLOSED"))
#: Attempts that a sink took: two before it opened, one at the failed trial.
TRIED = sunk("worker-1", 10.5, 11.5, 15.005, by="worker-1.1")
WROTE = received("worker-1.1", 1, 5, 9, 31, 40)
SANE = (AWAY, WORK, TRIED, WROTE, breaker(*SANE_LIFE))


def judged(*parts: Part) -> Finding:
    return BreakerBehaves().judge(history(*parts))


def rule_broken(*parts: Part) -> set[str]:
    found = judged(*parts)
    assert found.verdict is Verdict.FAILED, found
    return set(found.members)


def test_no_transition_is_unknown() -> None:
    assert judged(AWAY, WORK).verdict is Verdict.UNKNOWN
    assert judged(AWAY, WORK, empty("transitions.jsonl")).verdict is Verdict.UNKNOWN


def test_target_that_claims_no_breaker_is_not_judged() -> None:
    assert judged(*SANE, target(capabilities={"breaker": False})).verdict is Verdict.NOT_APPLICABLE


def test_breaker_without_cause_to_open_is_unknown() -> None:
    assert judged(breaker((0, "CLOSED")), WORK, WROTE).verdict is Verdict.UNKNOWN


def test_breaker_that_keeps_all_rules_behaves() -> None:
    found = judged(*SANE)
    assert found.verdict is Verdict.PASSED, found
    assert (found.counts["opened"], found.counts["had_to_open"]) == (1, 1)


@pytest.mark.parametrize(
    "life",
    [
        ((0, "CLOSED"), (12, "HALF_OPEN"), (30.5, "CLOSED")),
        ((0, "CLOSED"), (12, "OPEN"), (30.5, "CLOSED")),
        ((0, "OPEN"), (15, "HALF_OPEN"), (30.5, "CLOSED")),
        ((0, "CLOSED"), (12, "OPEN"), (15, "BROKEN"), (30.5, "CLOSED")),
    ],
)
def test_transition_that_the_contract_does_not_know_is_illegal(life: tuple[tuple[float, str], ...]) -> None:
    assert "illegal" in rule_broken(AWAY, WORK, TRIED, WROTE, breaker(*life))


def test_gap_in_seq_is_missing_evidence() -> None:
    rest = breaker((15, "HALF_OPEN"), (15.01, "OPEN"), (29, "HALF_OPEN"), (30.5, "CLOSED"), first_seq=2, before="OPEN")
    found = judged(AWAY, WORK, TRIED, WROTE, breaker((0, "CLOSED")), rest)
    assert found.verdict is Verdict.UNKNOWN
    assert "worker-1.1 is missing" in found.why


def test_illegal_transition_is_illegal_also_beside_a_gap() -> None:
    rest = breaker((15, "HALF_OPEN"), (16, "HALF_OPEN"), first_seq=2, before="OPEN")
    assert rule_broken(AWAY, WORK, TRIED, WROTE, breaker((0, "CLOSED")), rest) == {"illegal"}


def test_missing_first_transition_is_missing_evidence() -> None:
    late = breaker(*SANE_LIFE[1:], first_seq=1, before="CLOSED")
    assert judged(AWAY, WORK, TRIED, WROTE, late).verdict is Verdict.UNKNOWN


def test_breaker_that_never_opens_is_late() -> None:
    assert rule_broken(AWAY, WORK, TRIED, WROTE, breaker((0, "CLOSED"))) == {"opened_late"}


def test_breaker_that_opens_after_its_bound_is_late() -> None:
    assert rule_broken(
        AWAY, WORK, TRIED, WROTE, breaker((0, "CLOSED"), (16, "OPEN"), (29, "HALF_OPEN"), (31, "CLOSED"))
    ) == {"opened_late"}


def test_breaker_without_work_need_not_open() -> None:
    idle = AWAY, probe(*every(1, 0, 100), queue=0), TRIED, WROTE, breaker((0, "CLOSED"))
    assert judged(*idle).verdict is Verdict.UNKNOWN
    untried = AWAY, WORK, received("worker-1.1", 1), breaker((0, "CLOSED"))
    assert judged(*untried).verdict is Verdict.UNKNOWN


def test_killed_process_need_not_open() -> None:
    assert judged(AWAY, WORK, TRIED, WROTE, breaker((0, "CLOSED")), exited("worker-1", 12)).verdict is Verdict.UNKNOWN


def test_opening_while_nothing_is_broken_is_early() -> None:
    early = breaker(
        (0, "CLOSED"), (5, "OPEN"), (8, "HALF_OPEN"), (8.1, "CLOSED"), (12, "OPEN"), (29, "HALF_OPEN"), (31, "CLOSED")
    )
    assert rule_broken(AWAY, WORK, sunk("worker-1", 11), received("worker-1.1", 1, 40), early) == {"opened_early"}


def fail_next(k: int) -> Part:
    return fault(10, 20, kind="fail_next", k=k, process="worker")


def test_fewer_failures_than_the_threshold_must_not_open() -> None:
    assert judged(fail_next(2), WORK, WROTE, breaker((0, "CLOSED"))).verdict is Verdict.PASSED
    opened = breaker((0, "CLOSED"), (11, "OPEN"), (14, "HALF_OPEN"), (14.1, "CLOSED"))
    assert rule_broken(fail_next(2), WORK, WROTE, opened) == {"opened_early"}


def test_as_many_failures_as_the_threshold_must_open() -> None:
    assert rule_broken(fail_next(3), WORK, WROTE, breaker((0, "CLOSED"))) == {"opened_late"}
    opened = breaker((0, "CLOSED"), (11, "OPEN"), (14, "HALF_OPEN"), (14.1, "CLOSED"))
    assert judged(fail_next(3), WORK, WROTE, opened).verdict is Verdict.PASSED


def test_refused_data_is_no_cause_to_open() -> None:
    poison = fault(10, 20, kind="reject_rows")
    assert judged(poison, WORK, WROTE, breaker((0, "CLOSED"))).verdict is Verdict.PASSED
    opened = breaker((0, "CLOSED"), (12, "OPEN"), (15, "HALF_OPEN"), (15.1, "CLOSED"))
    assert rule_broken(poison, WORK, WROTE, opened) == {"opened_early"}


def test_trial_before_the_recovery_time_is_early() -> None:
    early = breaker(
        (0, "CLOSED"), (12, "OPEN"), (14, "HALF_OPEN"), (14.01, "OPEN"), (29, "HALF_OPEN"), (30.5, "CLOSED")
    )
    assert rule_broken(AWAY, WORK, sunk("worker-1", 11), WROTE, early) == {"half_open_early"}


def test_two_connections_in_one_trial_are_many() -> None:
    assert rule_broken(*SANE, sunk("worker-1", 15.007, by="worker-1.1")) == {"many_trials"}
    connects = received("worker-1.1", 30.1, 30.2, what="connect")
    assert rule_broken(*SANE, connects) == {"many_trials"}


@pytest.mark.parametrize(
    "sent",
    [
        sunk("worker-1", 20, by="worker-1.1"),
        sunk("worker-1", 20),
        received("worker-1.1", 20),
        received("worker-1.1", 20, what="connect"),
    ],
)
def test_connection_or_statement_while_open_breaks_the_rule(sent: Part) -> None:
    assert rule_broken(*SANE, sent) == {"sent_while_open"}


def test_one_connection_at_a_wrong_time_is_unknown_where_other_programs_kept_the_machine_busy() -> None:
    busy = probe(*every(1, 0, 100), queue=5, cpu_busy=1.0, cpu_others=0.5)
    sane = (AWAY, busy, TRIED, WROTE, breaker(*SANE_LIFE))
    second, open_still = sunk("worker-1", 15.007, by="worker-1.1"), sunk("worker-1", 20, by="worker-1.1")
    for once in (second, open_still):
        found = judged(*sane, once)
        assert (found.verdict, "other programs" in found.why) == (Verdict.UNKNOWN, True), found
    assert rule_broken(*sane, second, open_still) == {"many_trials", "sent_while_open"}
    early = breaker((0, "CLOSED"), (12, "OPEN"), (13, "HALF_OPEN"), (13.1, "OPEN"), (29, "HALF_OPEN"), (30.5, "CLOSED"))
    assert rule_broken(AWAY, busy, TRIED, WROTE, early) >= {"half_open_early"}


def test_what_others_send_is_theirs() -> None:
    others = sunk("worker-2", 20, by="worker-2.1"), received("worker-2.1", 20), sunk("worker-1", 20, by="worker-1.2")
    assert judged(*SANE, *others).verdict is Verdict.PASSED


def test_what_was_under_way_when_it_opened_may_still_arrive() -> None:
    assert judged(*SANE, sunk("worker-1", 12.4)).verdict is Verdict.PASSED
    slow = fault(10, 30, kind="latency", ms=300)
    assert judged(*SANE, sunk("worker-1", 12.7), slow).verdict is Verdict.PASSED
    assert rule_broken(*SANE, sunk("worker-1", 12.7)) == {"sent_while_open"}
    assert judged(*SANE, received("worker-1.1", 11.9, ms=5000)).verdict is Verdict.PASSED


def test_opening_of_which_nobody_knows_what_was_sent_is_unknown() -> None:
    assert judged(AWAY, WORK, breaker(*SANE_LIFE)).verdict is Verdict.UNKNOWN


def test_breaker_that_closes_while_the_store_is_away_breaks_the_rule() -> None:
    closing = breaker(
        (0, "CLOSED"),
        (12, "OPEN"),
        (15, "HALF_OPEN"),
        (15.01, "CLOSED"),
        (16, "OPEN"),
        (29, "HALF_OPEN"),
        (31, "CLOSED"),
    )
    assert rule_broken(AWAY, WORK, TRIED, WROTE, closing) == {"closed_while_away"}


def test_breaker_that_stays_open_never_closed() -> None:
    assert rule_broken(AWAY, WORK, sunk("worker-1", 11), breaker((0, "CLOSED"), (12, "OPEN"))) == {"never_closed"}


def test_process_that_was_killed_while_open_need_not_close() -> None:
    killed = breaker((0, "CLOSED"), (12, "OPEN")), exited("worker-1", 40)
    assert judged(AWAY, WORK, sunk("worker-1", 11), *killed).verdict is Verdict.PASSED


def test_two_trials_failing_after_the_healing_are_flapping() -> None:
    flapping = breaker(
        (0, "CLOSED"),
        (12, "OPEN"),
        (31, "HALF_OPEN"),
        (31.1, "OPEN"),
        (35, "HALF_OPEN"),
        (35.1, "OPEN"),
        (40, "HALF_OPEN"),
        (40.1, "CLOSED"),
    )
    assert rule_broken(AWAY, WORK, sunk("worker-1", 11), received("worker-1.1", 9), flapping) == {"flapped"}


def test_each_incarnation_is_judged_by_itself() -> None:
    second = breaker((50, "CLOSED"), (60, "OPEN"), process="worker-1", incarnation=2)
    found = judged(*SANE, second, received("worker-1.2", 51), exited("worker-1", 45))
    assert found.members["opened_early"] == ["worker-1.2 at 60.00 s: opened while nothing was broken"]


def test_transitions_without_a_number_or_time_are_no_proof() -> None:
    assert judged(*SANE, absent("transitions.jsonl")).verdict is Verdict.UNKNOWN


def test_failures_before_its_life_are_none_of_its_own() -> None:
    ended = (
        fault(40, 45, kind="kill", process="worker-1"),
        exited("worker-1", 40),
        breaker((46, "CLOSED"), incarnation=2),
    )
    opened = breaker((0, "CLOSED"), (11, "OPEN"), (14, "HALF_OPEN"), (14.1, "CLOSED"))
    assert judged(fail_next(3), WORK, WROTE, opened, *ended, received("worker-1.2", 50)).verdict is Verdict.PASSED


def test_failures_that_two_processes_share_prove_nothing_about_either() -> None:
    shared = fault(10, 20, kind="fail_next", k=4)
    other = (breaker((0, "CLOSED"), process="worker-2"), received("worker-2.1", 5, 9, 31))
    opened = breaker((0, "CLOSED"), (11, "OPEN"), (14, "HALF_OPEN"), (14.1, "CLOSED"))
    assert judged(shared, WORK, WROTE, opened, *other).verdict is Verdict.PASSED
    assert rule_broken(shared, WORK, WROTE, breaker((0, "CLOSED"))) == {"opened_late"}  # by itself it had them all


def test_opening_because_of_another_fault_is_not_early() -> None:
    away = fault(12, 18, blocks_store=True)
    life = ((0, "CLOSED"), (14, "OPEN"), (17.4, "HALF_OPEN"), (17.6, "OPEN"), (20.7, "HALF_OPEN"), (20.8, "CLOSED"))
    tried = sunk("worker-1", 12.5, 13.5, 17.5, by="worker-1.1")
    assert judged(fail_next(2), away, WORK, WROTE, tried, breaker(*life)).verdict is Verdict.PASSED


@pytest.mark.parametrize(("sqlstate", "early"), [("22023", True), ("40001", True), ("53100", False), ("57P01", False)])
def test_rows_refused_by_trouble_of_the_store_are_a_cause_to_open(sqlstate: str, early: bool) -> None:
    refused = fault(10, 20, kind="reject_rows", sqlstate=sqlstate)
    opened = breaker((0, "CLOSED"), (12, "OPEN"), (15, "HALF_OPEN"), (15.1, "CLOSED"))
    found = judged(refused, WORK, WROTE, opened)
    assert found.verdict is (Verdict.FAILED if early else Verdict.PASSED), found


def test_failures_that_are_about_data_need_not_open_it() -> None:
    about_data = fault(10, 20, kind="fail_next", k=3, process="worker", sqlstate="22023")
    assert judged(about_data, WORK, WROTE, breaker((0, "CLOSED"))).verdict is Verdict.PASSED


def test_transitions_that_could_not_be_read_to_the_end_are_missing_evidence() -> None:
    def unread(book: Book) -> None:
        book.line(rundir.TRANSITIONS, process="worker-1", incarnation=UNREAD, reason="a line is too long")

    found = judged(*SANE, unread)
    assert (found.verdict, found.members) == (Verdict.UNKNOWN, {})
    assert "worker-1" in found.why
    cut = breaker(*SANE_LIFE[:4])
    assert judged(AWAY, WORK, TRIED, WROTE, cut).verdict is Verdict.FAILED
    assert judged(AWAY, WORK, TRIED, WROTE, cut, unread).verdict is Verdict.UNKNOWN
