import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shaketable.checks import OrderKept
from shaketable.checks.check import Verdict
from shaketable.checks.kinds import precedence
from tests.support.histories import absent, dead, history, sent, stored, target

A_THEN_B = (sent("a", at=0).acknowledged(1), sent("b", at=2).acknowledged(3))


def test_nothing_stored_is_unknown() -> None:
    assert OrderKept().judge(history(*A_THEN_B)).verdict is Verdict.UNKNOWN
    assert OrderKept().judge(history(*A_THEN_B, absent("stored.jsonl"))).verdict is Verdict.UNKNOWN


def test_what_was_sent_before_and_is_stored_before_is_in_order() -> None:
    found = OrderKept().judge(history(*A_THEN_B, stored("a", at=4), stored("b", at=5)))
    assert found.verdict is Verdict.PASSED
    assert found.counts == {"stored": 2, "judged": 1, "overtaken": 0}


def test_event_committed_before_one_it_follows_has_overtaken_it() -> None:
    found = OrderKept().judge(history(*A_THEN_B, stored("b", at=4), stored("a", at=5)))
    assert found.verdict is Verdict.FAILED
    assert found.members == {
        "overtaken": [
            "a before b: sent at 0.00 s and 2.00 s; the second was stored first, at 4.00 s before 5.00 s",
        ]
    }


def test_position_decides_within_one_transaction() -> None:
    both = stored("b", 4, xid="7", position=0), stored("a", 4, xid="7", position=1)
    (member,) = OrderKept().judge(history(*A_THEN_B, *both)).members["overtaken"]
    assert member.endswith("the second was stored first, at position 0 before 1 in one transaction")
    assert OrderKept().judge(history(*A_THEN_B, *both)).counts["overtaken"] == 1


def test_position_decides_within_one_transaction_even_without_commit_times() -> None:
    both = stored("b", None, xid="7", position=0), stored("a", None, xid="7", position=1)
    assert OrderKept().judge(history(*A_THEN_B, *both)).verdict is Verdict.FAILED


def test_position_says_nothing_between_transactions() -> None:
    both = stored("b", 5, position=0), stored("a", 4, position=1)
    assert OrderKept().judge(history(*A_THEN_B, *both)).verdict is Verdict.PASSED


def test_transactions_of_the_same_instant_are_not_judged() -> None:
    assert OrderKept().judge(history(*A_THEN_B, stored("b", 4), stored("a", 4))).verdict is Verdict.UNKNOWN


def test_event_tied_with_one_it_follows_is_judged_by_another() -> None:
    both = sent("a", at=0).acknowledged(1), sent("a2", at=0).acknowledged(1), sent("b", at=2).acknowledged(3)
    found = OrderKept().judge(history(*both, stored("a", 4), stored("a2", 5), stored("b", 5)))
    assert (found.verdict, found.counts["judged"]) == (Verdict.PASSED, 1)


def test_rows_without_place_are_not_judged() -> None:
    assert OrderKept().judge(history(*A_THEN_B, stored("b", None), stored("a", None))).verdict is Verdict.UNKNOWN


def test_events_in_flight_together_may_be_stored_either_way() -> None:
    together = sent("a", at=0).acknowledged(2), sent("b", at=2).acknowledged(3)
    assert OrderKept().judge(history(*together, stored("b", 4), stored("a", 5))).verdict is Verdict.UNKNOWN


def test_the_first_acknowledgement_and_the_first_attempt_count() -> None:
    resent = sent("a", at=0).acknowledged(1).again(8).acknowledged(9), sent("b", at=2).again(3).acknowledged(4)
    assert OrderKept().judge(history(*resent, stored("b", 5), stored("a", 6))).verdict is Verdict.FAILED


def test_row_that_may_be_of_a_resend_after_the_acknowledgement_has_no_known_place() -> None:
    a, b = sent("a", at=0).acknowledged(1).again(8, "drain").acknowledged(9), sent("b", at=2).acknowledged(4)
    assert OrderKept().judge(history(a, b, stored("b", 5), stored("a", 8.5))).verdict is Verdict.UNKNOWN
    assert OrderKept().judge(history(a, b, stored("b", 5), stored("a", 7.5))).counts["overtaken"] == 1
    late = sent("b", at=2).acknowledged(4).again(8, "drain").acknowledged(9)
    found = OrderKept().judge(history(sent("a", at=0).acknowledged(1), late, stored("b", 8.5), stored("a", 9)))
    assert found.verdict is Verdict.FAILED, "however late b is stored, a is later"
    both = stored("b", None, xid="7", position=0), stored("a", None, xid="7", position=1)
    assert OrderKept().judge(history(a, b, *both)).verdict is Verdict.UNKNOWN


def test_other_organizations_are_independent() -> None:
    apart = sent("a", at=0, organization="x").acknowledged(1), sent("b", at=2, organization="y").acknowledged(3)
    assert OrderKept().judge(history(*apart, stored("b", 4), stored("a", 5))).verdict is Verdict.UNKNOWN
    alone = sent("a", at=0, organization=None).acknowledged(1), sent("b", at=2, organization=None).acknowledged(3)
    assert OrderKept().judge(history(*alone, stored("b", 4), stored("a", 5))).verdict is Verdict.UNKNOWN


def test_dead_letters_have_no_order() -> None:
    assert OrderKept().judge(history(*A_THEN_B, stored("b", 4), stored("a", 5), dead("a"))).verdict is Verdict.UNKNOWN


def test_a_doubled_event_counts_by_its_first_row() -> None:
    rows = stored("a", 4), stored("b", 5), stored("a", 6)
    assert OrderKept().judge(history(*A_THEN_B, *rows)).verdict is Verdict.PASSED


def test_inversion_far_apart_is_found_among_many() -> None:
    events = [sent(f"e{i}", at=i).acknowledged(i + 0.5) for i in range(50)]
    rows = [stored(f"e{i}", at=100 + i) for i in range(1, 50)] + [stored("e0", at=150)]
    assert OrderKept().judge(history(*events, *rows)).counts["overtaken"] == 49


def test_target_that_claims_no_order_is_not_judged() -> None:
    unordered = target(capabilities={"order_by": None})
    assert OrderKept().judge(history(*A_THEN_B, unordered)).verdict is Verdict.NOT_APPLICABLE


def test_rows_updated_in_place_are_unknown() -> None:
    updated = target(stored={"updates": True})
    assert OrderKept().judge(history(*A_THEN_B, stored("b", 4), stored("a", 5), updated)).verdict is Verdict.UNKNOWN


def test_order_by_another_member_is_unknown() -> None:
    assert OrderKept().judge(history(target(capabilities={"order_by": "principalId"}))).verdict is Verdict.UNKNOWN


#: When it was sent and how long that took, organization, commit time, position, whether it shares a transaction.
Drawn = tuple[int, int, str | None, int | None, int, bool]
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(0, 3),
        st.sampled_from(["x", "y", None]),
        st.integers(0, 4) | st.none(),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=9,
)


@pytest.mark.slow
@settings(deadline=None)  # each writes and reads a run directory
@given(EVENTS)
def test_agrees_with_the_law_spelled_out_for_every_pair(drawn: list[Drawn]) -> None:
    events = [
        sent(f"e{i}", at=at, organization=org).acknowledged(at + took) for i, (at, took, org, *_) in enumerate(drawn)
    ]
    # equal commit time, equal transaction: half the time
    rows = [
        stored(f"e{i}", at=tick, xid=f"t{tick}" if shared else "", position=p)
        for i, (_, _, _, tick, p, shared) in enumerate(drawn)
    ]
    judged, late = _naive(drawn)
    found = OrderKept().judge(history(*events, *rows))
    assert found.counts.get("overtaken", 0) == len(late)
    assert found.verdict is (Verdict.FAILED if late else Verdict.PASSED if judged else Verdict.UNKNOWN)


def _naive(drawn: list[Drawn]) -> tuple[set[int], set[int]]:
    judged: set[int] = set()
    late: set[int] = set()
    for i, (at, took, org, tick, position, shared) in enumerate(drawn):
        for j, (at_j, _, org_j, tick_j, position_j, shared_j) in enumerate(drawn):
            if i == j or org is None or org != org_j or not at + took < at_j:
                continue
            if shared and shared_j and tick == tick_j:
                places = position, position_j
            elif tick is not None and tick_j is not None:
                places = tick, tick_j
            else:
                continue
            if places[0] != places[1]:
                judged.add(j)
            if places[0] > places[1]:
                late.add(j)
    return judged, late


def test_groups_that_are_searched_in_parts_give_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    group, place, began = (random.integers(0, most, 300) for most in (9, 300, 1000))
    ended = began + random.integers(0, 30, 300)
    whole = precedence.overtaken(group, place, ended, began)
    monkeypatch.setattr(precedence, "PART", 20)
    parts = precedence.overtaken(group, place, ended, began)
    assert len(whole.late) > 50
    assert parts.judged.tolist() == whole.judged.tolist()
    assert sorted(zip(parts.late, parts.by, strict=True)) == sorted(zip(whole.late, whole.by, strict=True))
