"""Of the literal checks here: in time is within 3 s, of all."""

from shaketable.checks import Isolated
from shaketable.checks.check import Finding, Verdict
from tests.support.book import Part
from tests.support.histories import absent, asks, dead, fault, history, phase, poisoned, sent, started, stored, target

POISON = (fault(10, 30, "poison", kind="reject_rows"), poisoned("p"))
POISONED = (sent("p", at=11, organization="sick").acknowledged(11.1), dead("p"))
WORKERS = started("worker-1"), started("worker-2"), started("ingest")
CUT_OFF = (fault(10, 30, "one cut off", process="worker-1"), *WORKERS)


def judged(*parts: Part, **budgets: float) -> Finding:
    return Isolated(**({"share": 1} | budgets)).judge(history(*parts))


def event(event_id: str, at: float, took: float, organization: str | None = "well") -> tuple[Part, Part]:
    return sent(event_id, at=at, organization=organization).acknowledged(at + 0.1), stored(event_id, at=at + took)


def test_neither_poison_nor_one_of_several_in_trouble_is_not_applicable() -> None:
    assert judged(*event("a", 11, 1)).verdict is Verdict.NOT_APPLICABLE
    assert judged(*event("a", 11, 9), fault(10, 30, blocks_store=True)).verdict is Verdict.NOT_APPLICABLE
    assert judged(*event("a", 11, 9), fault(10, 30, process="worker"), *WORKERS).verdict is Verdict.NOT_APPLICABLE
    assert judged(*event("a", 11, 9), fault(10, 30, process="ingest"), *WORKERS).verdict is Verdict.NOT_APPLICABLE


def test_nothing_of_others_or_no_commit_times_is_unknown() -> None:
    assert judged(*POISON, *POISONED).verdict is Verdict.UNKNOWN
    assert judged(*POISON, *POISONED, absent("stored.jsonl")).verdict is Verdict.UNKNOWN
    untimed = sent("a", at=12, organization="well").acknowledged(12.1), stored("a", at=None)
    assert judged(*POISON, *POISONED, *untimed).verdict is Verdict.UNKNOWN
    assert judged(*CUT_OFF).verdict is Verdict.UNKNOWN


def test_others_stored_in_time_beside_poison_pass() -> None:
    found = judged(*POISON, *POISONED, *event("a", 12, 1))
    assert (found.verdict, found.counts["others"], found.counts["held_up"]) == (Verdict.PASSED, 1, 0), found


def test_others_held_up_by_poison_fail() -> None:
    found = judged(*POISON, *POISONED, *event("a", 12, 1), *event("b", 13, 4))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"held_up": ["b"]}
    assert judged(*POISON, *POISONED, *event("a", 12, 1), *event("b", 13, 4), share=0.5).verdict is Verdict.PASSED
    never = sent("b", at=13, organization="well").acknowledged(13.1)
    assert judged(*POISON, *POISONED, *event("a", 12, 1), never).members == {"held_up": ["b"]}


def test_poisoned_organization_and_other_times_are_not_asked() -> None:
    others = *event("s", 12, 9, "sick"), *event("c", 2, 9), *event("d", 31, 9), *event("n", 12, 9, None)
    assert judged(*POISON, *POISONED, *event("a", 12, 1), *others).counts["others"] == 1


def test_events_due_while_the_store_was_away_or_shortly_before_the_end_are_not_asked() -> None:
    away = fault(14, 18, blocks_store=True)
    assert judged(*POISON, *POISONED, *event("a", 12, 1), *event("b", 15, 9), away).counts["others"] == 0
    assert (
        judged(*POISON, *POISONED, *event("a", 12, 1), *event("b", 29, 4), phase("observe", 31)).counts["others"] == 1
    )


def test_one_worker_cut_off_holds_up_its_own_lanes_only() -> None:
    held = [part for n in range(3) for part in event(f"h{n}", 12, 9, f"held-{n}")]
    well = event("a", 12, 1), event("b", 13, 1), event("c", 12, 1, "fine")
    found = judged(*CUT_OFF, *held, *(part for parts in well for part in parts))
    assert (found.verdict, found.counts["organizations"], found.counts["held_up_organizations"]) == (
        Verdict.PASSED,
        5,
        3,
    ), found
    assert found.members == {"held_up_organizations": ["held-0", "held-1", "held-2"]}


def test_one_worker_cut_off_that_holds_up_nearly_all_fails() -> None:
    held = [part for n in range(4) for part in event(f"h{n}", 12, 9, f"held-{n}")]
    found = judged(*CUT_OFF, *held, *event("a", 12, 1))
    assert found.verdict is Verdict.FAILED
    assert found.why == "4 of 5 organizations were held up by one cut off (at least 25% not)"
    assert judged(*CUT_OFF, *held, *event("a", 12, 1), organizations_share=0.2).verdict is Verdict.PASSED


def test_lease_that_did_not_reach_the_target_may_be_held_by_a_worker_in_trouble() -> None:
    held = [part for n in range(4) for part in event(f"h{n}", 12, 5, f"held-{n}")]
    parts = *CUT_OFF, *held, *event("a", 12, 1)
    assert judged(*parts, asks(settings={"lease_s": 3})).verdict is Verdict.FAILED, "no longer than asked"
    short = asks(settings={"lease_s": 0.5})
    assert judged(*parts, short).verdict is Verdict.PASSED, "its own is 2.5 s longer"
    assert judged(*parts, short, target(settings={"lease_s": "LEASE_S"})).verdict is Verdict.FAILED
    own = asks(settings={"lease_s": 0.5}, budgets=["isolated.within_s=3"])
    assert judged(*parts, own).verdict is Verdict.FAILED, "the user's own budget"
    assert judged(*parts, short, phase("observe", 16)).verdict is Verdict.UNKNOWN
    poison = *POISON, *POISONED, *event("a", 12, 1), *event("b", 13, 4)
    assert judged(*poison, short).verdict is Verdict.FAILED, "poison holds no lease"
