import pytest

from shaketable.checks import RefusesRightly
from shaketable.checks.check import Verdict
from tests.support.histories import absent, history, sent

GOOD, BAD = sent("good"), sent("bad", expect="refuse")
SANE = (GOOD.acknowledged(1), BAD.refused(1, 422))


def test_no_malformed_event_answered_is_unknown() -> None:
    assert RefusesRightly().judge(history(GOOD.acknowledged(1))).verdict is Verdict.UNKNOWN
    assert RefusesRightly().judge(history(BAD)).verdict is Verdict.UNKNOWN
    assert RefusesRightly().judge(history(BAD.refused(1, 503))).verdict is Verdict.UNKNOWN
    assert RefusesRightly().judge(history(absent("schedule.jsonl"))).verdict is Verdict.UNKNOWN


def test_malformed_refused_and_wellformed_taken_is_right() -> None:
    found = RefusesRightly().judge(history(*SANE))
    assert found.verdict is Verdict.PASSED
    assert found.counts["malformed"] == 1


def test_malformed_event_acknowledged_once_is_accepted() -> None:
    found = RefusesRightly().judge(history(*SANE, sent("worse", expect="refuse").refused(1).again(2).acknowledged(3)))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"accepted": ["worse"]}


def test_malformed_event_answered_with_500_made_the_target_stumble() -> None:
    found = RefusesRightly().judge(
        history(sent("bad", expect="refuse").indeterminate(1, status=500).again(2).refused(3))
    )
    assert found.members == {"stumbled": ["bad"]}


@pytest.mark.parametrize("status", [502, 503, 504])
def test_trouble_in_an_outage_is_no_stumbling(status: int) -> None:
    event = sent("bad", expect="refuse").indeterminate(1, status=status).again(2).refused(3)
    assert RefusesRightly().judge(history(event)).verdict is Verdict.PASSED


def test_wellformed_event_refused_for_good_is_wrong() -> None:
    found = RefusesRightly().judge(history(*SANE, sent("x").refused(1, 400)))
    assert found.members == {"refused": ["x"]}


@pytest.mark.parametrize("status", [429, 503, None])
def test_wellformed_event_refused_for_now_is_right(status: int | None) -> None:
    assert RefusesRightly().judge(history(*SANE, sent("x").refused(1, status))).verdict is Verdict.PASSED


def test_doubtful_events_may_go_either_way() -> None:
    doubtful = sent("x", expect="either").acknowledged(1), sent("y", expect="either").refused(1)
    assert RefusesRightly().judge(history(*SANE, *doubtful)).verdict is Verdict.PASSED


def test_shape_of_what_was_answered_wrongly_is_named() -> None:
    bad = sent("bad", expect="refuse").acknowledged(1)
    assert "(1 × a test's)" in RefusesRightly().judge(history(bad)).why


def test_other_contents_under_an_id_that_was_acknowledged_may_be_refused() -> None:
    event = GOOD.acknowledged(1)
    assert RefusesRightly().judge(history(SANE[1], event.again(2, "changed").refused(3, 409))).verdict is Verdict.PASSED
    found = RefusesRightly().judge(history(SANE[1], event.again(2, "other_case").refused(3, 409)))
    assert found.members == {"refused": ["good"]}
