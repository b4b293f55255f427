from shaketable.checks import IntakeSurvives
from shaketable.checks.check import Verdict
from tests.support.histories import absent, fault, history, sent, target

AWAY = fault(10, 20, blocks_store=True)
SERVED = sent("a", at=12).acknowledged(12.1)


def test_no_outage_or_nothing_sent_in_it_is_unknown() -> None:
    assert IntakeSurvives().judge(history(SERVED)).verdict is Verdict.UNKNOWN
    assert IntakeSurvives().judge(history(AWAY, sent("a", at=5).acknowledged(6))).verdict is Verdict.UNKNOWN
    assert IntakeSurvives().judge(history(fault(10, 20), SERVED)).verdict is Verdict.UNKNOWN
    assert IntakeSurvives().judge(history(absent("schedule.jsonl"))).verdict is Verdict.UNKNOWN


def test_intake_that_needs_the_store_for_its_queue_is_not_judged() -> None:
    unserved = AWAY, sent("b", at=13)
    same = target(store="postgres", queue_service="postgres")
    assert IntakeSurvives().judge(history(*unserved, same)).verdict is Verdict.NOT_APPLICABLE
    nowhere = target(store=None, queue_service=None)
    assert IntakeSurvives().judge(history(*unserved, nowhere)).verdict is Verdict.FAILED


def test_events_acknowledged_while_the_store_is_away_show_that_the_intake_survives() -> None:
    found = IntakeSurvives().judge(history(AWAY, SERVED))
    assert (found.verdict, found.counts) == (Verdict.PASSED, {"sent": 1, "unserved": 0, "share": 1.0})


def test_events_acknowledged_only_after_the_healing_are_unserved() -> None:
    found = IntakeSurvives().judge(history(AWAY, SERVED, sent("b", at=13).acknowledged(20.5)))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"unserved": ["b"]}


def test_events_never_acknowledged_or_refused_for_now_are_unserved() -> None:
    found = IntakeSurvives().judge(history(AWAY, SERVED, sent("b", at=13), sent("c", at=14).refused(14.1, 503)))
    assert found.members == {"unserved": ["b", "c"]}


def test_refusal_made_good_soon_enough_is_service() -> None:
    assert (
        IntakeSurvives().judge(history(AWAY, sent("c", at=14).refused(14.1, 503).again(15).acknowledged(15.1))).verdict
        is Verdict.PASSED
    )


def test_as_many_as_the_budget_says_may_be_unserved() -> None:
    assert IntakeSurvives(share=0.5).judge(history(AWAY, SERVED, sent("b", at=13))).verdict is Verdict.PASSED


def test_malformed_events_and_those_sent_shortly_before_the_healing_are_not_asked() -> None:
    others = sent("m", at=13, expect="refuse").refused(13.1), sent("l", at=19).acknowledged(25)
    assert IntakeSurvives().judge(history(AWAY, SERVED, *others)).counts["sent"] == 1


def test_while_the_intake_itself_is_broken_nothing_is_asked() -> None:
    assert IntakeSurvives().judge(history(AWAY, fault(11, 15, blocks_intake=True), SERVED)).verdict is Verdict.UNKNOWN


def test_a_share_that_is_missed_by_one_event_of_many_is_missed() -> None:
    served = [sent(f"e{n}", at=12 + n / 1000).acknowledged(12.5 + n / 1000) for n in range(2999)]
    lost = sent("x", at=13)
    assert IntakeSurvives(share=1).judge(history(AWAY, *served)).verdict is Verdict.PASSED
    assert IntakeSurvives(share=1).judge(history(AWAY, *served, lost)).members == {"unserved": ["x"]}
