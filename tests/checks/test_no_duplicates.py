from shaketable.checks import NoDuplicates
from shaketable.checks.check import Verdict
from tests.support.histories import absent, history, sent, stored, target


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
