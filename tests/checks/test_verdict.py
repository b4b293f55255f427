import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shaketable import rundir
from shaketable.checks import (
    HealthHonest,
    LatencyBudget,
    NoDuplicates,
    NoLoss,
    OrderKept,
    RecoversInTime,
    from_spec,
    to_spec,
)
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc, judge_history, judge_run
from shaketable.errors import InputError
from tests.support.book import Part
from tests.support.histories import (
    absent,
    asks,
    clock,
    every,
    fault,
    history,
    phase,
    probe,
    run_of,
    sent,
    stored,
    target,
    unsent,
)

SANE = (sent("a", at=1).acknowledged(2), stored("a", at=3), asks(NoLoss()))


def test_run_whose_named_checks_pass_has_passed() -> None:
    doc = judge_history(history(*SANE))
    assert (doc.verdict, doc.reasons) == (Verdict.PASSED, [])
    assert doc.checks["no_loss"].required


def test_checks_that_the_scenario_does_not_name_are_shown_and_do_not_count() -> None:
    doc = judge_history(history(*SANE, stored("a"), stored("x")))
    assert doc.verdict is Verdict.PASSED
    assert doc.checks["nothing_invented"].verdict is Verdict.FAILED
    assert not doc.checks["nothing_invented"].required


def test_worst_of_the_named_checks_decides() -> None:
    lost = (sent("a").acknowledged(1), sent("b").acknowledged(1), stored("a"))
    assert judge_history(history(*lost, asks(NoLoss(), NoDuplicates()))).verdict is Verdict.FAILED
    assert judge_history(history(*lost, stored("b"), asks(NoLoss(), NoDuplicates()))).verdict is Verdict.UNKNOWN


def test_not_applicable_never_counts() -> None:
    unordered = target(capabilities={"order_by": None})
    assert judge_history(history(*SANE, unordered, asks(NoLoss(), OrderKept()))).verdict is Verdict.PASSED
    assert judge_history(history(*SANE, unordered, asks(OrderKept()))).verdict is Verdict.UNKNOWN


def test_scenario_that_names_no_check_proves_nothing() -> None:
    assert judge_history(history(*SANE, asks())).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("doubt", "reason"),
    [
        ([fault(10, 20, landed=False)], "landed: seen"),
        ([fault(10, 20, landed=None)], "it has no witness"),
        ([phase("baseline", 0), phase("shake", 5)], "its last phase was shake"),
        ([absent("phases.jsonl")], "none at all"),
        ([clock(0), clock(10, off_ms=60), clock(20, off_ms=60)], "60 ms apart"),
        ([clock(0), clock(31)], "31 s passed without a clock pair"),
        ([sent("z", at=9, late=5, due=4).acknowledged(10), stored("z")], "sent late: p99"),
        ([unsent("z")], "50.0% of the scheduled events were never sent"),
    ],
)
def test_evidence_that_cannot_be_trusted_makes_the_run_unknown(doubt: list[Part], reason: str) -> None:
    quiet = (
        [absent("faults.jsonl", "probes.jsonl", "journal-load-0.jsonl")]
        if "clock" in reason or "apart" in reason
        else []
    )
    doc = judge_history(history(*SANE, *doubt, *quiet))
    assert any(reason in each for each in doc.reasons), doc.reasons
    assert doc.verdict is Verdict.UNKNOWN


def test_failure_is_worse_than_doubt() -> None:
    doc = judge_history(history(sent("a").acknowledged(1), asks(NoLoss()), fault(10, 20, landed=False)))
    assert doc.verdict is Verdict.FAILED


def test_too_late_is_unknown_where_the_harness_had_no_time_to_send_and_lost_is_lost_all_the_same() -> None:
    slow = (sent("a", at=1).acknowledged(2), stored("a", at=30), phase("observe", 60))
    starved = (sent("z", at=9, late=5, due=4).acknowledged(10), stored("z", at=30))
    asked = asks(LatencyBudget(stored_share=1), NoLoss())
    assert judge_history(history(*slow, asked)).checks["latency_budget"].verdict is Verdict.FAILED
    doc = judge_history(history(*slow, *starved, asked))
    assert (doc.verdict, doc.checks["latency_budget"].verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert "but the harness sent late" in doc.checks["latency_budget"].why
    lost = judge_history(history(*slow, *starved, sent("b", at=3).acknowledged(4), asked))
    assert (lost.verdict, lost.checks["no_loss"].verdict) == (Verdict.FAILED, Verdict.FAILED)


def test_health_that_does_not_answer_is_no_lie_where_the_harness_itself_had_no_time_to_send() -> None:
    silent = (sent("a", at=1).acknowledged(2), stored("a"), probe(*every(0.5, 1, 9), answered=False), fault(10, 20))
    starved = (sent("z", at=9, late=5, due=4).acknowledged(10), stored("z"))
    asked = asks(HealthHonest())
    assert judge_history(history(*silent, asked)).checks["health_honest"].verdict is Verdict.FAILED
    doc = judge_history(history(*silent, *starved, asked))
    assert (doc.verdict, doc.checks["health_honest"].verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert "while nothing was wrong; but the harness sent late" in doc.checks["health_honest"].why


@pytest.mark.parametrize(
    ("stored_at", "cpu", "verdict"),
    [
        (30, {"cpu_busy": 1.0, "cpu_others": 0.5}, Verdict.FAILED),  # more than four times the budget of 5 s
        (15, {"cpu_busy": 1.0, "cpu_others": 0.5}, Verdict.UNKNOWN),
        (50, {"cpu_busy": 1.0, "cpu_others": 0.6}, Verdict.UNKNOWN),  # they used most of it
        (50, {"cpu_busy": 0.7, "cpu_others": 0.6}, Verdict.FAILED),
        (15, {"cpu_busy": 0.7, "cpu_others": 0.5}, Verdict.FAILED),  # a core was free
        (15, {"cpu_busy": 1.0, "cpu_others": 0.1}, Verdict.FAILED),  # the run itself kept the machine busy
        (15, {}, Verdict.FAILED),  # nobody measured it
    ],
)
def test_late_is_unknown_where_other_programs_kept_the_machine_busy(
    stored_at: float, cpu: dict[str, float], verdict: Verdict
) -> None:
    slow = (sent("a", at=1).acknowledged(2), stored("a", at=stored_at), phase("observe", 60))
    busy = (probe(*every(1, 1, 40)), probe(*every(1, 1.5, 9.5), **cpu))
    found = judge_history(history(*slow, *busy, asks(LatencyBudget(stored_share=1)))).checks["latency_budget"]
    assert found.verdict is verdict, found.why
    assert ("other programs" in found.why) is (verdict is Verdict.UNKNOWN)


@pytest.mark.parametrize(("late", "verdict"), [(15, Verdict.UNKNOWN), (45, Verdict.FAILED)])
def test_budgets_that_a_check_leaves_out_grow_as_well(late: float, verdict: Verdict) -> None:
    """By default the literal target has 11 s: two recoveries of 3 s, a lease of 3 s, an attempt and a grace of 1 s."""
    away = (fault(10, 30, blocks_store=True), sent("a", at=20).acknowledged(21), stored("a", at=30.5))
    cpu = {"cpu_busy": 1.0, "cpu_others": 0.5}
    seen = (probe(*every(1, 0, 30 + late), health=60, **cpu), probe(*every(1, 30 + late, 100), **cpu))
    found = judge_history(history(*away, *seen, asks(RecoversInTime()))).checks["recovers_in_time"]
    assert found.verdict is verdict, found.why
    assert f"healthy: {late:.1f} s" in found.why


def test_slowness_is_unknown_there_too() -> None:
    many = [(0.5 + n / 4, 0.1) for n in range(36)] + [(40 + n / 4, 0.5) for n in range(36)]
    served = [part for at, took in many for part in (sent(f"{at}", at=at).acknowledged(at), stored(f"{at}", at + took))]
    parts = (fault(10, 30, blocks_store=True), *served, asks(RecoversInTime()))
    free = judge_history(history(*parts, probe(*every(1, 0, 100)))).checks["recovers_in_time"]
    assert (free.verdict, "slower" in free.why) == (Verdict.FAILED, True), free.why
    busy = judge_history(history(*parts, probe(*every(1, 0, 100), cpu_busy=1.0, cpu_others=0.5)))
    assert busy.checks["recovers_in_time"].verdict is Verdict.UNKNOWN


def test_unsent_within_the_scenarios_bound_is_no_doubt() -> None:
    assert judge_history(history(*SANE, unsent("b"), asks(NoLoss(), unsent_bound=0.6))).verdict is Verdict.PASSED


def test_event_held_behind_its_organization_is_not_late() -> None:
    held = sent("b", at=9, due=1).acknowledged(10)
    assert judge_history(history(*SANE, held, stored("b"))).reasons == []


def test_check_that_raises_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoLoss, "judge", lambda *_: 1 / 0)
    doc = judge_history(history(*SANE))
    assert doc.checks["no_loss"].verdict is Verdict.UNKNOWN
    assert "ZeroDivisionError" in doc.checks["no_loss"].why


def test_verdict_is_on_disk_as_json(tmp_path: Path) -> None:
    run = run_of([*SANE, fault(10, 20)], tmp_path)
    doc = judge_run(run)
    assert rundir.read_json(run / rundir.VERDICT, VerdictDoc) == doc
    written = json.loads((run / rundir.VERDICT).read_bytes())
    assert written["schema"] == 1
    assert written["faults"] == [msgspec.to_builtins(doc.faults[0])]


def test_figures_tell_how_much_and_how_fast() -> None:
    figures = judge_history(history(*SANE, sent("b", at=3).acknowledged(4), stored("b", at=20), fault(5, 10))).figures
    assert figures["acknowledged"] == 2
    assert figures["intake_p50_ms"] == 1000
    assert figures["acknowledged_per_s"] == 1.0
    assert figures["heal_to_first_commit_s"] == pytest.approx(10, abs=0.001)
    assert figures["heal_to_empty_backlog_s"] is None
    assert figures["run_s"] == 100


def test_checks_survive_a_round_trip_through_json() -> None:
    assert from_spec(to_spec(NoLoss())) == NoLoss()


@pytest.mark.parametrize("spec", [{"name": "no_lose"}, {"name": "no_loss", "budget": 1}, {}])
def test_unknown_check_or_budget_is_an_input_error(spec: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"no_loss|budget|check"):
        from_spec(spec)
