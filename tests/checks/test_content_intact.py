import json

from shaketable.checks import ContentIntact
from shaketable.checks.check import Verdict
from shaketable.load.mix.shape import Expect, Shape
from tests.support.book import GOOD, Book
from tests.support.histories import absent, dead, history, sent, stored, target, unreadable

BODY = {**GOOD, "details": {"n": 1, "deep": [1.5, None]}}
A = sent("a", body=BODY).acknowledged(1)
KEPT = {"eventId": "a", "organizationId": "org", **BODY}


def test_nothing_stored_is_unknown() -> None:
    assert ContentIntact().judge(history(A)).verdict is Verdict.UNKNOWN
    assert ContentIntact().judge(history(A, absent("stored.jsonl"))).verdict is Verdict.UNKNOWN


def test_what_was_sent_is_intact() -> None:
    found = ContentIntact().judge(history(A, stored("a")))
    assert (found.verdict, found.counts) == (Verdict.PASSED, {"compared": 1, "altered": 0})


def test_other_spelling_of_the_same_value_is_intact() -> None:
    respelt = {
        **KEPT,
        "timestamp": "2024-01-01T01:00:00.000000+01:00",
        "details": {"n": 1.0, "deep": [1.5, None]},
        "ttl": None,
    }
    assert ContentIntact().judge(history(A, stored("a", event=respelt))).verdict is Verdict.PASSED


def test_altered_member_is_named_and_its_value_is_not_shown() -> None:
    altered = {**KEPT, "action": "secret", "details": {"n": 2, "deep": [1.5, None]}}
    found = ContentIntact().judge(history(A, stored("a", event=altered)))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"altered": ["a: action, details.n"]}
    assert found.why.startswith("1 stored row differs")


def test_missing_member_and_missing_event_are_altered() -> None:
    without = {name: value for name, value in KEPT.items() if name != "status"}
    assert ContentIntact().judge(history(A, stored("a", event=without))).members == {"altered": ["a: status (missing)"]}
    assert ContentIntact().judge(history(A, stored("a", event=None))).members == {"altered": ["a: the whole event"]}


def test_members_that_the_target_says_it_adds_are_ignored() -> None:
    more = {**KEPT, "hash": "x"}
    assert ContentIntact().judge(history(A, stored("a", event=more))).verdict is Verdict.FAILED
    assert (
        ContentIntact().judge(history(A, stored("a", event=more), target(stored={"adds": ["hash"]}))).verdict
        is Verdict.PASSED
    )


def test_digits_that_a_double_loses_are_altered_only_where_the_target_claims_exact_numbers() -> None:
    was = sent("a", body={**GOOD, "n": 2**53 + 1}).acknowledged(1)
    as_doubles = stored("a", event={"eventId": "a", "organizationId": "org", **GOOD, "n": 2**53})
    for claimed, verdict in ((None, Verdict.PASSED), ("double", Verdict.PASSED), ("exact", Verdict.FAILED)):
        of = target(capabilities={"numbers": claimed}) if claimed else target()
        assert ContentIntact().judge(history(was, as_doubles, of)).verdict is verdict


def test_contents_that_were_sent_later_under_an_id_are_altered_where_the_first_must_win() -> None:
    other = {**GOOD, "action": "other"}
    both = (sent("a", body=BODY, changed=1).acknowledged(1), sent("b", body=other).acknowledged(1))
    later = stored("a", event={"eventId": "a", "organizationId": "org", **other})
    found = ContentIntact().judge(history(*both, later))
    assert found.members == {"altered": ["a: the whole event (sent later under its id)"]}
    for either in (
        target(capabilities={"deduplicates": False}),
        target(capabilities={"order_by": None}),
        target(stored={"updates": True}),
        dead("a"),
    ):
        assert ContentIntact().judge(history(*both, later, either)).verdict is Verdict.PASSED
    neither = stored("a", event={"eventId": "a", "organizationId": "org", **other, "status": "failure"})
    assert ContentIntact().judge(history(*both, neither, dead("a"))).verdict is Verdict.FAILED


def test_every_row_of_a_doubled_event_is_compared() -> None:
    found = ContentIntact().judge(history(A, stored("a"), stored("a", event={**KEPT, "action": "other"})))
    assert found.counts == {"compared": 2, "altered": 1}


def test_events_of_one_shape_are_compared_each_with_its_own() -> None:
    twin = sent("b", body=BODY, twin_of="a").acknowledged(1)
    swapped = stored("a", event={**KEPT, "eventId": "b"}), stored("b")
    assert ContentIntact().judge(history(A, twin, *swapped)).members == {"altered": ["a: eventId"]}


def test_run_without_its_corpus_is_unknown() -> None:
    assert ContentIntact().judge(history(A, stored("a"), absent("corpus.jsonl"))).verdict is Verdict.UNKNOWN


def test_lone_surrogate_that_is_kept_to_the_letter_is_intact() -> None:
    """Our reader of rows knows no such JSON, so that a run's files hold it in a string."""
    sent_ = sent("a", body={**GOOD, "detail": "\ud800"}).acknowledged(1)
    kept = json.dumps({"eventId": "a", "organizationId": "org", **GOOD, "detail": "\ud800"})
    shape = Shape(0, Expect.EITHER, "a test's", text=kept.replace('"a"', '"%EVENT_ID%"', 1))

    def corpus(book: Book) -> None:
        book.lines["corpus.jsonl"] = [shape]

    assert ContentIntact().judge(history(sent_, corpus, stored("a", event=kept))).verdict is Verdict.PASSED
    altered = kept.replace("ud800", "ud801")
    assert ContentIntact().judge(history(sent_, corpus, stored("a", event=altered))).members == {
        "altered": ["a: detail"]
    }


def test_object_that_is_kept_as_a_string_is_altered() -> None:
    assert ContentIntact().judge(history(A, stored("a", event=json.dumps(KEPT)))).verdict is Verdict.FAILED


def test_row_that_nobody_could_read_leaves_the_law_open() -> None:
    b = sent("b", body=BODY).acknowledged(1)
    found = ContentIntact().judge(history(A, b, stored("b"), unreadable("stored.jsonl", "a")))
    assert (found.verdict, found.counts) == (Verdict.UNKNOWN, {"compared": 1, "altered": 0, "unreadable": 1})
    altered = stored("b", event={**KEPT, "eventId": "b", "action": "x"})
    assert ContentIntact().judge(history(A, b, altered, unreadable("stored.jsonl", "a"))).verdict is Verdict.FAILED


def test_kinds_of_differences_are_counted_in_the_sentence() -> None:
    later = KEPT | {"timestamp": "2024-01-01T00:00:00.0005Z"}
    found = ContentIntact().judge(history(A, stored("a", event=later)))
    assert found.members == {"altered": ["a: timestamp (less than a millisecond)"]}
    assert found.why.endswith("(1 × less than a millisecond)")
