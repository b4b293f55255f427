"""Budgets by name: in place of the scenario's own, and never without effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shaketable.checks import LatencyBudget, NoLoss, RecoversInTime, RetriesBounded, budget, to_spec
from shaketable.cli.check import check_run as check
from shaketable.cli.explain import explain_checks
from shaketable.cli.list import list_
from shaketable.errors import InputError
from tests.cli.test_cli import sentence
from tests.conftest import Typed
from tests.support.book import Part
from tests.support.histories import asks, run_of, sent, stored

NAMED = (NoLoss(), RecoversInTime(commit_within_s=3), LatencyBudget())


def under(*texts: str, checks: Any = NAMED) -> dict[str, Any]:
    (specs,) = budget.apply([[to_spec(check) for check in checks]], budget.parse(texts))
    return {spec["name"]: spec for spec in specs}


def test_recovery_is_all_that_must_be_well_again() -> None:
    found = under("recovery_s=10")["recovers_in_time"]
    assert [found[f"{what}_within_s"] for what in ("commit", "closed", "healthy", "backlog")] == [10] * 4
    assert found["slower_times"] == RecoversInTime().slower_times


def test_quantile_sets_share_and_time_in_the_checks_own_unit() -> None:
    found = under("intake_p99_ms=50", "freshness_p99_s=2.5")["latency_budget"]
    assert (found["acknowledged_within_s"], found["acknowledged_share"]) == (0.05, 0.99)
    assert (found["stored_within_s"], found["stored_share"]) == (2.5, 0.99)


def test_field_of_a_check_is_a_budget_too_and_the_last_one_holds() -> None:
    found = under("recovery_s=10", "recovers_in_time.commit_within_s=2")["recovers_in_time"]
    assert (found["commit_within_s"], found["backlog_within_s"]) == (2, 10)
    bounded = under("retries_bounded.attempts_per_letter=7", checks=[RetriesBounded()])["retries_bounded"]
    assert bounded["attempts_per_letter"] == 7


def test_scenario_that_does_not_name_the_check_is_left_alone() -> None:
    plain, other = budget.apply([[to_spec(NoLoss())], [to_spec(LatencyBudget())]], [("intake_p99_ms", 50)])
    assert plain == [to_spec(NoLoss())]
    assert other[0]["acknowledged_within_s"] == 0.05


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("recovery_s", "NAME=VALUE"),
        ("recover_s=10", "intake_p99_ms, freshness_p99_s, recovery_s"),
        ("recover_s=10", "memory_bounded.per_event_bytes"),
        ("recovery_s=soon", "'soon'"),
        ("recovery_s=-1", "'-1'"),
        ("recovery_s=nan", "'nan'"),
        ("recovery_s=inf", "'inf'"),
        ("latency_budget.stored_share=5", "above 0 and at most 1 for the budget latency_budget.stored_share, got '5'"),
        ("latency_budget.acknowledged_share=0", "above 0 and at most 1"),
        ("isolated.organizations_share=1.01", "above 0 and at most 1"),
        ("intake_survives.share=0", "above 0 and at most 1"),
        ("isolated.within_s=1", "which no scenario that is asked for names"),
        ("retries_bounded.attempts_per_letter=1.5", "attempts_per_letter"),
    ],
)
def test_budget_that_would_judge_nothing_is_bad_input(text: str, told: str) -> None:
    with pytest.raises(InputError) as raised:
        under(text, checks=(RecoversInTime(), RetriesBounded()))
    assert told in str(raised.value)


def test_wrong_name_is_told_before_anything_is_played(tmp_path: Path, typed: Typed) -> None:
    done = typed("run", "calm", "--budget", "recover_s=10", "--runs", tmp_path / "runs")
    assert "recovery_s" in sentence(done)
    assert done.returncode == 254
    assert not (tmp_path / "runs").exists()


def test_every_budget_is_told_of_by_list_and_explain(capsys: pytest.CaptureFixture[str]) -> None:
    list_()
    listed = capsys.readouterr().out
    explain_checks("")
    explained = capsys.readouterr().out
    for name, known in budget.known().items():
        assert name in listed or all(f"{each} = " in explained for each in known.fields)
    assert all(name in listed and name in explained for name in budget.common())
    assert "name = " not in explained


def test_saved_run_is_judged_under_a_budget_and_its_own_verdict_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late: list[Part] = [sent("a").acknowledged(0.5), stored("a"), asks(NoLoss(), LatencyBudget(least_judged=1))]
    run = run_of(late, tmp_path)
    assert check(run.path) == 0
    before = (run / "verdict.json").read_bytes()
    assert check(run.path, budgets=["intake_p99_ms=100"]) == 1
    assert "not acknowledged within 0.1 s" in " ".join(capsys.readouterr().out.split())
    assert (run / "verdict.json").read_bytes() == before
