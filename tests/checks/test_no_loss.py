import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.checks import NoLoss
from shaketable.checks.check import Verdict
from tests.support.book import Part
from tests.support.histories import (
    absent,
    breaker,
    dead,
    every,
    history,
    probe,
    queued,
    sent,
    stored,
    target,
    unreadable,
)
from tests.support.sends import Sent


def test_nothing_acknowledged_is_unknown() -> None:
    assert NoLoss().judge(history()).verdict is Verdict.UNKNOWN
    assert NoLoss().judge(history(sent("a").refused(1), stored("a"))).verdict is Verdict.UNKNOWN


def test_acknowledged_events_that_are_stored_or_dead_are_not_lost() -> None:
    found = NoLoss().judge(history(sent("a").acknowledged(1), sent("b").acknowledged(1), stored("a"), dead("b")))
    assert found.verdict is Verdict.PASSED
    assert found.counts == {
        "acknowledged": 2,
        "stored": 1,
        "dead_lettered": 1,
        "lost": 0,
        "undelivered": 0,
        "queued": 0,
    }


def test_acknowledged_event_missing_from_store_is_lost() -> None:
    found = NoLoss().judge(history(sent("a").acknowledged(1), sent("b").acknowledged(1), stored("a")))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"lost": ["b"]}
    assert found.counts["lost"] == 1


def test_acknowledged_by_any_attempt_is_acknowledged() -> None:
    found = NoLoss().judge(history(sent("a").indeterminate(1).again(2).acknowledged(3).again(4).refused(5)))
    assert found.members == {"lost": ["a"]}


def test_indeterminate_and_refused_events_cannot_be_lost() -> None:
    found = NoLoss().judge(
        history(sent("a").indeterminate(1), sent("b"), sent("c").refused(1), sent("d").acknowledged(1), stored("d"))
    )
    assert found.verdict is Verdict.PASSED


def test_missing_event_is_undelivered_while_the_queue_holds_something() -> None:
    found = NoLoss().judge(history(sent("a").acknowledged(1), queued(1)))
    assert found.verdict is Verdict.UNKNOWN
    assert found.members == {"undelivered": ["a"]}
    assert "still holds 1" in found.why


def test_missing_event_is_unknown_when_the_queue_is() -> None:
    assert NoLoss().judge(history(sent("a").acknowledged(1), absent("queue.jsonl"))).verdict is Verdict.UNKNOWN
    assert NoLoss().judge(history(sent("a").acknowledged(1), queued(None))).verdict is Verdict.UNKNOWN


def test_missing_event_is_unknown_when_dead_letters_were_not_observed() -> None:
    assert NoLoss().judge(history(sent("a").acknowledged(1), absent("dead_letters.jsonl"))).verdict is Verdict.UNKNOWN


def test_target_without_dead_letters_loses_what_it_does_not_store() -> None:
    found = NoLoss().judge(history(sent("a").acknowledged(1), absent("dead_letters.jsonl"), target(dead_letters=None)))
    assert found.verdict is Verdict.FAILED


def test_run_that_never_observed_is_unknown() -> None:
    assert NoLoss().judge(history(sent("a").acknowledged(1), absent("stored.jsonl"))).verdict is Verdict.UNKNOWN
    assert NoLoss().judge(history(absent("schedule.jsonl"))).verdict is Verdict.UNKNOWN


FATES = st.lists(
    st.tuples(st.lists(st.sampled_from("ari?"), max_size=3), st.booleans(), st.booleans()), min_size=1, max_size=8
)


def test_members_of_many_are_evenly_taken_and_the_count_is_whole() -> None:
    found = NoLoss().judge(history(*[sent(f"e{n}", at=n).acknowledged(n) for n in range(199)], stored("kept")))
    assert found.counts["lost"] == 199
    assert found.members["lost"] == [f"e{n}" for n in range(0, 199, 2)]


@pytest.mark.slow
@settings(deadline=None)  # each writes and reads a run directory
@given(FATES)
def test_agrees_with_the_law_spelled_out(fates: list[tuple[list[str], bool, bool]]) -> None:
    parts: list[Part] = []
    lost = []
    for number, (answers, is_stored, is_dead) in enumerate(fates):
        name = f"e{number}"
        parts.append(_event(name, answers))
        parts += [stored(name)] * is_stored + [dead(name)] * is_dead
        if "a" in answers and not is_stored and not is_dead:
            lost.append(name)
    found = NoLoss().judge(history(*parts))
    assert found.members.get("lost", []) == lost
    assert (found.verdict is Verdict.FAILED) == bool(lost)


def _event(name: str, answers: list[str]) -> Sent:
    event = sent(name)
    for number, answer in enumerate(answers):
        event = event.again(number) if number else event
        at = number + 0.5
        match answer:
            case "a":
                event = event.acknowledged(at)
            case "r":
                event = event.refused(at)
            case "i":
                event = event.indeterminate(at)
    return event


def test_malformed_event_that_was_accepted_is_never_lost() -> None:
    bad = sent("bad", expect="refuse").acknowledged(1)
    found = NoLoss().judge(history(bad, sent("a").acknowledged(1), stored("a")))
    assert (found.verdict, found.counts["acknowledged"]) == (Verdict.PASSED, 1)
    assert NoLoss().judge(history(sent("x", expect="either").acknowledged(1))).members == {"lost": ["x"]}


def test_undelivered_names_the_keys_that_hold_something() -> None:
    found = NoLoss().judge(history(sent("a").acknowledged(1), queued(2), queued(0, key="retries")))
    assert "(events:0: 2)" in found.why


def test_what_is_missing_may_be_among_rows_that_nobody_could_read() -> None:
    a, b = sent("a").acknowledged(1), sent("b").acknowledged(1)
    assert NoLoss().judge(history(a, unreadable("stored.jsonl", "a"))).verdict is Verdict.PASSED
    assert NoLoss().judge(history(a, unreadable("stored.jsonl"))).verdict is Verdict.UNKNOWN
    assert NoLoss().judge(history(a, b, unreadable("dead_letters.jsonl"))).verdict is Verdict.FAILED
    assert NoLoss().judge(history(a, b, unreadable("stored.jsonl", more=True))).verdict is Verdict.UNKNOWN


def test_lost_while_a_breaker_was_open_is_said() -> None:
    opened = breaker((0, "CLOSED"), (4, "OPEN"), (9, "HALF_OPEN"), (9.1, "CLOSED"))
    lost = [sent(f"e{n}", at=n).acknowledged(n + 0.1) for n in (2, 5, 6)]
    assert "2 of 3 were last seen while a breaker was OPEN" in NoLoss().judge(history(*lost, opened)).why
    assert "OPEN" not in NoLoss().judge(history(*lost)).why


def test_parked_events_are_lost_with_their_reason_and_no_part_of_the_queue() -> None:
    found = NoLoss().judge(history(sent("a").acknowledged(1), queued(0), queued(1, "failed", parked=True)))
    assert (found.verdict, found.members, found.counts["parked"]) == (Verdict.FAILED, {"lost": ["a"]}, 1)
    assert "failed: 1" in found.why


def test_parked_events_do_not_excuse_a_queue_that_still_holds_work() -> None:
    found = NoLoss().judge(history(sent("a").acknowledged(1), queued(1), queued(1, "failed", parked=True)))
    assert found.members == {"undelivered": ["a"]}


#: No row was counted before the resend.
NONE_YET = {"stored": 0, "stored_age_s": 0.1}
EMPTY = probe(*every(0.2, 0, 70), **NONE_YET)


def test_event_that_only_a_resend_stored_after_the_queue_was_empty_was_lost() -> None:
    resent = sent("a", at=1).acknowledged(1.1).again(60, "drain").acknowledged(60.1), stored("a", at=60.2)
    found = NoLoss().judge(history(*resent, EMPTY))
    assert (found.verdict, found.members) == (Verdict.FAILED, {"lost": ["a"]})
    assert (found.counts["lost"], found.counts["stored_by_resend"]) == (1, 1)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(probe(*every(0.2, 0, 70), queue=9, **NONE_YET), id="the queue was never empty"),
        pytest.param(probe(*every(0.2, 0, 5), *every(0.2, 61, 70), **NONE_YET), id="not empty between the two"),
        pytest.param(probe(30, **NONE_YET), id="seen empty once"),
        pytest.param(probe(*every(0.2, 0, 70), queue=None, **NONE_YET), id="the queue is unknown"),
        pytest.param(probe(*every(0.2, 0, 70), stored=1, stored_age_s=0.1), id="it was there, and is written anew"),
        pytest.param(probe(*every(0.2, 0, 70), stored=0, stored_age_s=65), id="rows were counted long before"),
        pytest.param(probe(*every(0.2, 0, 70)), id="nobody counted the rows"),
        pytest.param((EMPTY, target(stored={"updates": True})), id="rows are updated in place"),
        pytest.param((EMPTY, target(queue={"command": ["count"]})), id="a command counts the queue"),
        pytest.param((EMPTY, dead("a")), id="it is a dead letter"),
    ],
)
def test_what_the_evidence_does_not_show_is_no_loss(part: Part | tuple[Part, ...]) -> None:
    resent = sent("a", at=1).acknowledged(1.1).again(60, "drain").acknowledged(60.1), stored("a", at=60.2)
    parts = part if isinstance(part, tuple) else (part,)
    assert NoLoss().judge(history(*resent, *parts)).verdict is Verdict.PASSED


def test_event_stored_before_its_resend_or_sent_again_before_its_acknowledgement_is_not_lost() -> None:
    early = sent("a", at=1).acknowledged(1.1).again(60, "drain").acknowledged(60.1), stored("a", at=59)
    retried = sent("b", at=1).indeterminate(2).again(60).acknowledged(60.1), stored("b", at=60.2)
    untimed = sent("c", at=1).acknowledged(1.1).again(60, "drain").acknowledged(60.1), stored("c", at=None)
    assert NoLoss().judge(history(*early, *retried, *untimed, EMPTY)).verdict is Verdict.PASSED
