import pytest

from shaketable.checks import NoDuplicates
from shaketable.checks.check import Verdict
from tests.support.book import Part
from tests.support.histories import absent, fault, history, sent, stored, target


def test_nothing_sent_twice_is_unknown() -> None:
    assert NoDuplicates().judge(history()).verdict is Verdict.UNKNOWN
    assert NoDuplicates().judge(history(sent("a").acknowledged(1), stored("a"))).verdict is Verdict.UNKNOWN


def test_refused_attempt_exposes_nothing() -> None:
    found = NoDuplicates().judge(history(sent("a").refused(1, 503).again(2).acknowledged(3), stored("a")))
    assert found.verdict is Verdict.UNKNOWN


def test_resent_event_stored_once_is_no_duplicate() -> None:
    found = NoDuplicates().judge(history(sent("a").acknowledged(1).again(2).acknowledged(3), stored("a")))
    assert found.verdict is Verdict.PASSED
    assert found.counts == {"stored": 1, "exposed": 1, "doubled": 0, "unprovoked": 0}


def test_attempt_that_was_never_answered_exposes() -> None:
    assert NoDuplicates().judge(history(sent("a").again(2).acknowledged(3), stored("a"))).verdict is Verdict.PASSED


def test_event_in_two_rows_is_doubled() -> None:
    found = NoDuplicates().judge(
        history(sent("a").acknowledged(1), sent("b").acknowledged(1), stored("a"), stored("b"), stored("a"))
    )
    assert found.verdict is Verdict.FAILED
    assert found.members == {"doubled": ["a"]}


def test_more_rows_than_attempts_are_the_targets_own_doing() -> None:
    resent = sent("b").acknowledged(1).again(2).acknowledged(3)
    found = NoDuplicates().judge(
        history(sent("a").acknowledged(1), stored("a"), stored("a"), resent, stored("b"), stored("b"))
    )
    assert found.counts == {"stored": 2, "exposed": 1, "doubled": 2, "unprovoked": 1}


def test_ids_are_compared_as_uuids() -> None:
    assert (
        NoDuplicates().judge(history(sent("ab").acknowledged(1), stored("AB"), stored("ab"))).verdict is Verdict.FAILED
    )


def test_run_that_never_observed_is_unknown() -> None:
    assert NoDuplicates().judge(history(sent("a").again(2), absent("stored.jsonl"))).verdict is Verdict.UNKNOWN


def test_target_that_claims_no_deduplication_is_judged_by_what_it_doubled_itself() -> None:
    claims = target(capabilities={"deduplicates": False})
    resent = sent("a").acknowledged(1).again(2).acknowledged(3), stored("a"), stored("a")
    found = NoDuplicates().judge(history(*resent, claims))
    assert (found.verdict, found.counts["doubled"], found.counts["resent"]) == (Verdict.PASSED, 0, 1)
    found = NoDuplicates().judge(history(*resent, sent("b").acknowledged(1), stored("b"), stored("b"), claims))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"doubled": ["b"]}
    assert NoDuplicates().judge(history(sent("a").acknowledged(1), claims)).verdict is Verdict.UNKNOWN
    assert NoDuplicates().judge(history(*resent)).verdict is Verdict.FAILED


#: Two deliveries of an event that was sent once.
REPEATED = sent("a").acknowledged(1), stored("a", at=5), stored("a", at=8)
LOST = fault(4, 6, service="outbound")


def webhook(deduplicates: bool = False) -> Part:
    process = [{"name": "api", "command": ["x"]}, {"name": "worker", "command": ["x"], "count": 2}]
    told = {"capabilities": {"deduplicates": deduplicates}, "outbound": {"path": "/hook"}, "process": process}
    return target(**told, ingest={"process": "api"})


@pytest.mark.parametrize(
    "lost",
    [
        LOST,
        fault(5.5, 7, service="outbound"),  # the answer was in flight when the link broke
        fault(5.01, 7, kind="kill", process="worker-1"),
        fault(5.01, 7, kind="pause", process="worker"),
    ],
)
def test_delivery_whose_answer_was_lost_may_be_repeated(lost: Part) -> None:
    found = NoDuplicates().judge(history(*REPEATED, lost, webhook()))
    assert (found.verdict, found.counts["repeated"], found.counts["doubled"]) == (Verdict.PASSED, 1, 0)


@pytest.mark.parametrize(
    "other",
    [
        fault(0, 1.9, service="outbound"),  # over before, by more than a lease
        fault(8.1, 9, service="outbound"),  # only the second answer was lost
        fault(4, 6, service="outbound", landed=False),
        fault(4, 6, service="outbound", landed=None),
        fault(4, 6, service="ingest"),
        fault(0, 1.9, service="postgres"),
        fault(4, 6, service="postgres", process="api"),
        fault(4, 6, kind="kill", process="api"),  # it delivers nothing
        fault(4, 6, kind="cpu_pressure", process="worker"),
    ],
)
def test_repeated_delivery_without_a_lost_answer_is_the_targets_own_doing(other: Part) -> None:
    found = NoDuplicates().judge(history(*REPEATED, other, webhook()))
    assert (found.verdict, found.members) == (Verdict.FAILED, {"doubled": ["a"]})


@pytest.mark.parametrize(
    "near",
    [
        fault(4, 6, service="postgres"),  # the deliverer's own store: the note that it is done may be lost
        fault(4, 6, service="postgres", process="worker-1"),
        fault(4, 6, kind="terminate_backends"),
        fault(7, 9, kind="kill", process="worker"),  # a batch that is not over yet
        fault(3, 4.9, service="outbound"),  # held back on the way, and let through after the healing
    ],
)
def test_repeated_delivery_near_a_fault_that_may_be_its_cause_is_unknown(near: Part) -> None:
    found = NoDuplicates().judge(history(*REPEATED, near, webhook()))
    assert (found.verdict, found.members) == (Verdict.UNKNOWN, {"doubtful": ["a"]})
    worse = sent("b").acknowledged(1), stored("b", at=30), stored("b", at=40)
    found = NoDuplicates().judge(history(*REPEATED, *worse, near, webhook()))
    assert (found.verdict, found.members) == (Verdict.FAILED, {"doubled": ["b"]})


def test_one_process_that_takes_events_and_delivers_them_may_repeat_what_its_death_took() -> None:
    whole = {"outbound": {"path": "/hook"}, "process": [{"name": "api", "command": ["x"]}]}
    alone = target(capabilities={"deduplicates": False}, ingest={"process": "api"}, **whole)
    found = NoDuplicates().judge(history(*REPEATED, fault(4.5, 6, kind="kill", process="api"), alone))
    assert (found.verdict, found.counts["repeated"]) == (Verdict.PASSED, 1)


def test_one_lost_answer_excuses_one_repetition() -> None:
    third = stored("a", at=9)
    soon = target(timing={"lease_s": 1})
    assert NoDuplicates().judge(history(*REPEATED, third, LOST, webhook(), soon)).verdict is Verdict.FAILED


def test_only_a_deliverer_that_claims_no_deduplication_is_excused() -> None:
    assert NoDuplicates().judge(history(*REPEATED, LOST, webhook(deduplicates=True))).verdict is Verdict.FAILED
    claims = target(capabilities={"deduplicates": False})
    assert NoDuplicates().judge(history(*REPEATED, LOST, claims)).verdict is Verdict.FAILED
