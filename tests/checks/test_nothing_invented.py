import json
from collections.abc import Callable

import pytest

from shaketable.checks import NothingInvented
from shaketable.checks.check import Verdict
from shaketable.load.mix.shape import Expect, Shape
from tests.support.book import Book, Part
from tests.support.histories import absent, dead, history, sent, stored, unreadable, unsent


def test_nothing_stored_is_unknown() -> None:
    assert NothingInvented().judge(history(sent("a").acknowledged(1))).verdict is Verdict.UNKNOWN


def test_what_was_sent_may_be_kept() -> None:
    found = NothingInvented().judge(
        history(sent("a").acknowledged(1), sent("b").indeterminate(1), sent("c"), stored("a"), stored("b"), dead("c"))
    )
    assert found.verdict is Verdict.PASSED
    assert found.counts["kept"] == 3


@pytest.mark.parametrize("keep", [stored, dead])
def test_event_of_no_schedule_is_foreign(keep: Callable[[str], Part]) -> None:
    found = NothingInvented().judge(history(sent("a").acknowledged(1), keep("x")))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"foreign": ["x"]}


@pytest.mark.parametrize("keep", [stored, dead])
def test_event_refused_every_time_may_not_be_kept(keep: Callable[[str], Part]) -> None:
    found = NothingInvented().judge(history(sent("a").refused(1).again(2).refused(3, status=None), keep("a")))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"refused": ["a"]}


def test_one_indeterminate_attempt_may_have_been_accepted() -> None:
    assert NothingInvented().judge(history(sent("a").refused(1).again(2), stored("a"))).verdict is Verdict.PASSED


def test_event_that_was_never_attempted_may_not_be_kept() -> None:
    found = NothingInvented().judge(history(unsent("a"), stored("a")))
    assert found.members == {"unsent": ["a"]}


def test_row_without_an_id_is_foreign() -> None:
    assert NothingInvented().judge(history(stored(None))).verdict is Verdict.FAILED


def test_run_that_never_observed_is_unknown() -> None:
    assert NothingInvented().judge(history(absent("stored.jsonl"))).verdict is Verdict.UNKNOWN


MALFORMED = {"timestamp": "2024-01-01T00:00:00Z", "action": "malformed", "status": 1}


def test_accepted_malformed_event_under_another_id_is_adapted_and_not_invented() -> None:
    bad = sent("bad", expect="refuse", body=MALFORMED, organization=None).acknowledged(1).again(2).acknowledged(3)
    kept = stored("new-1", event={**MALFORMED, "eventId": "new-1", "status": "1"}), dead("new-2", event=MALFORMED)
    found = NothingInvented().judge(history(sent("a").acknowledged(1), stored("a"), bad, *kept))
    assert found.verdict is Verdict.PASSED, found
    assert (found.counts["foreign"], found.counts["adapted"]) == (0, 2)


def test_adapted_event_with_a_lone_surrogate_is_not_invented() -> None:
    """A run's files hold its row in a string."""
    bad = sent("bad", expect="refuse", body=MALFORMED, organization=None).acknowledged(1)
    text = json.dumps({**MALFORMED, "eventId": "new-1", "note": "\ud800"})

    def corpus(book: Book) -> None:
        book.lines["corpus.jsonl"] = [Shape(0, Expect.REFUSE, "a test's", text=text.replace("new-1", "%EVENT_ID%"))]

    found = NothingInvented().judge(history(bad, corpus, stored("new-1", event=text)))
    assert (found.counts["foreign"], found.counts["adapted"]) == (0, 1)


def test_more_rows_than_attempts_and_other_contents_are_still_foreign() -> None:
    bad = sent("bad", expect="refuse", body=MALFORMED, organization=None).acknowledged(1)
    twice = stored("x", event=MALFORMED), stored("y", event=MALFORMED)
    assert NothingInvented().judge(history(bad, *twice)).members == {"foreign": ["y"]}
    other = stored("x", event={"action": "other", "status": "success"})
    assert NothingInvented().judge(history(bad, other)).members == {"foreign": ["x"]}
    refused = sent("bad", expect="refuse", body=MALFORMED, organization=None).refused(1)
    assert NothingInvented().judge(history(refused, stored("x", event=MALFORMED))).members == {"foreign": ["x"]}


def test_row_that_nobody_could_read_is_nobodys() -> None:
    parts = sent("a").acknowledged(1), stored("a"), unreadable("stored.jsonl"), unreadable("dead_letters.jsonl")
    assert NothingInvented().judge(history(*parts)).verdict is Verdict.PASSED
