from typing import Any

import pytest

from shaketable.checks import DeadLettersExplained
from shaketable.checks.check import Verdict
from tests.support.book import GOOD
from tests.support.histories import absent, breaker, dead, history, poisoned, sent, stored, target, unreadable

A = sent("a").acknowledged(1)


def test_neither_poison_nor_dead_letter_is_unknown() -> None:
    assert DeadLettersExplained().judge(history(A, stored("a"))).verdict is Verdict.UNKNOWN
    assert DeadLettersExplained().judge(history(A, absent("dead_letters.jsonl"))).verdict is Verdict.UNKNOWN
    assert DeadLettersExplained().judge(history(absent("stored.jsonl"))).verdict is Verdict.UNKNOWN


def test_target_without_dead_letters_is_not_judged() -> None:
    assert DeadLettersExplained().judge(history(A, target(dead_letters=None))).verdict is Verdict.NOT_APPLICABLE


def test_poison_that_is_dead_and_says_why_is_explained() -> None:
    found = DeadLettersExplained().judge(history(A, dead("a"), poisoned("a")))
    assert found.verdict is Verdict.PASSED
    assert found.counts["poison"] == found.counts["dead"] == 1


def test_good_event_dead_lettered_did_not_deserve_it() -> None:
    found = DeadLettersExplained().judge(history(A, dead("a")))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"undeserved": ["a"]}


def test_event_that_may_be_refused_may_die_instead() -> None:
    assert (
        DeadLettersExplained().judge(history(sent("e", expect="either").acknowledged(1), dead("e"))).verdict
        is Verdict.PASSED
    )


def test_poison_that_is_nowhere_was_swallowed() -> None:
    assert DeadLettersExplained().judge(history(A, poisoned("a"))).members == {"swallowed": ["a"]}


def test_poison_that_is_stored_after_all_was_not() -> None:
    assert DeadLettersExplained().judge(history(A, poisoned("a"), stored("a"))).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ({"cause": None}, "cause"),
        ({"cause": ""}, "cause"),
        ({"attempts": 0}, "attempts"),
        ({"attempts": []}, "attempts"),
        ({"history": []}, "history"),
        ({"history": None}, "history"),
        ({"first_failed_at": None}, "times of failure"),
        ({"first_failed_at": "soon"}, "times of failure"),
        ({"last_failed_at": "2020-01-01T00:00:00Z"}, "times of failure"),
    ],
)
def test_dead_letter_that_does_not_say_why_is_unexplained(lacking: dict[str, Any], named: str) -> None:
    found = DeadLettersExplained().judge(history(A, poisoned("a"), dead("a", **lacking)))
    assert found.members == {"unexplained": [f"a: no {named}"]}


def test_dead_letter_with_another_event_is_altered() -> None:
    other = {"eventId": "a", "action": "other"}
    found = DeadLettersExplained().judge(history(A, poisoned("a"), dead("a", event=other)))
    assert found.members["altered"][0].startswith("a: action")


def test_event_shown_as_text_is_read() -> None:
    text = (
        '{"eventId":"a","organizationId":"org","timestamp":"2024-01-01T00:00:00Z","action":"test","status":"success"}'
    )
    assert DeadLettersExplained().judge(history(A, poisoned("a"), dead("a", event=text))).verdict is Verdict.PASSED


def test_stored_and_dead_is_allowed_only_after_an_indeterminate_attempt() -> None:
    kept = stored("a"), dead("a"), poisoned("a")
    assert DeadLettersExplained().judge(history(A, *kept)).members == {"both": ["a"]}
    doubtful = sent("a").indeterminate(1).again(2).acknowledged(3)
    assert DeadLettersExplained().judge(history(doubtful, *kept)).verdict is Verdict.PASSED


def test_dead_letter_of_no_planned_event_must_say_why_too() -> None:
    assert DeadLettersExplained().judge(history(dead("x", cause=None))).verdict is Verdict.FAILED


def test_dead_letter_that_nobody_could_read_leaves_the_law_open() -> None:
    poison = sent("p").acknowledged(1), poisoned("p"), unreadable("dead_letters.jsonl", "p")
    found = DeadLettersExplained().judge(history(*poison))
    assert (found.verdict, found.counts["unreadable"], found.counts["unexplained"]) == (Verdict.UNKNOWN, 1, 0)
    assert DeadLettersExplained().judge(history(*poison, A, dead("a"))).verdict is Verdict.FAILED


def test_commonest_causes_are_told_without_what_is_the_events_own() -> None:
    letters = [dead(f"e{n}", cause=f"timeout after {n} ms\n  at f (x.py:1)") for n in range(3)]
    found = DeadLettersExplained().judge(history(*(sent(f"e{n}") for n in range(4)), *letters, dead("e3")))
    assert "3 × timeout after … ms, 1 × 22023" in found.why
    poison = sent("p").acknowledged(1), poisoned("p"), dead("p")
    assert "1 × 22023" in DeadLettersExplained().judge(history(*poison)).why


def test_dead_while_a_breaker_was_open_is_said() -> None:
    opened = breaker((0, "CLOSED"), (4, "OPEN"))
    letter = dead("a", first_failed_at="2027-01-15T08:00:01Z", last_failed_at="2027-01-15T08:00:05Z")
    found = DeadLettersExplained().judge(history(A, letter, opened))
    assert "1 of 1 were last seen while a breaker was OPEN" in found.why


def test_times_beyond_every_double_are_no_times() -> None:
    letter = dead("a", first_failed_at=0, last_failed_at=10**400)
    found = DeadLettersExplained().judge(history(sent("a").acknowledged(1), letter, poisoned("a")))
    assert found.members == {"unexplained": ["a: no times of failure"]}


def test_target_without_deduplication_may_store_one_attempt_and_bury_another() -> None:
    twice = sent("a", at=12).acknowledged(12.1).again(60, "drain").acknowledged(60.1)
    parts = (twice, poisoned("a"), dead("a"), stored("a", at=60.2))
    resends = target(capabilities={"deduplicates": False})
    assert DeadLettersExplained().judge(history(*parts)).members == {"both": ["a"]}
    assert DeadLettersExplained().judge(history(resends, *parts)).verdict is Verdict.PASSED
    once = sent("a", at=12).acknowledged(12.1)
    assert DeadLettersExplained().judge(history(resends, once, *parts[1:])).members == {"both": ["a"]}


def test_contents_that_were_sent_later_are_right_where_the_target_may_keep_either() -> None:
    other = {**GOOD, "action": "other"}
    again = sent("a", changed=1).acknowledged(1).again(3, "changed").acknowledged(3.1)
    parts = (again, sent("b", body=other, at=5).acknowledged(5.1), stored("b"), poisoned("a"))
    later = dead("a", event={"eventId": "a", "organizationId": "org", **other})
    either = target(capabilities={"deduplicates": False})
    assert DeadLettersExplained().judge(history(either, *parts, later)).verdict is Verdict.PASSED
    assert "altered" in DeadLettersExplained().judge(history(*parts, later)).members
    foreign = dead("a", event={"eventId": "a", "organizationId": "org", **other, "action": "a third"})
    assert "altered" in DeadLettersExplained().judge(history(either, *parts, foreign)).members
