"""A check is one value: its report words, anomalies, columns and budgets come with it, wherever it is defined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from shaketable import checks, rundir
from shaketable.checks import Anomaly, Budget, Column, Finding, History, Verdict, budget
from shaketable.checks.verdict import VerdictDoc, judge_run
from shaketable.compare import measures
from shaketable.errors import ScenarioError
from shaketable.load.schedule import Load
from shaketable.report.page import anomalies, sentence
from shaketable.runner.scenario import Scenario
from tests.support.histories import asks, dead, queued, run_of, sent, stored


@dataclass(frozen=True)
class Unloved:
    """No event is unloved."""

    name: ClassVar[str] = "unloved"
    held: ClassVar[str] = "every event was loved"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (Anomaly("sad", "unloved", "#123456", rank=5),)
    columns: ClassVar[tuple[Column, ...]] = (Column("unloved", "not loved by anybody", ("sad",), rank=15),)
    budgets: ClassVar[dict[str, Budget]] = {"sadness_ms": Budget(("most_s",), per=1000, means="the time to cry")}
    most_s: float = 1.0

    def judge(self, history: History) -> Finding:
        return Finding(Verdict.FAILED, {"sad": 1}, {"sad": ["a"]}, "an event is unloved")


@pytest.fixture(autouse=True)
def _known(own_kinds: None) -> None:
    checks.CHECKS.add(Unloved)


def test_event_in_its_anomaly_has_a_trace_and_a_dot(tmp_path: Path) -> None:
    doc = judge_run(run_of([sent("a").acknowledged(1), stored("a"), asks(Unloved())], tmp_path))
    assert [(life.event_id, life.fate) for life in doc.lives] == [("a", "unloved")]
    (row,) = anomalies.rows({"lives": [{"at": 1, "fate": "unloved", "event_id": "a"}]}, end=10)
    assert (row.fate, row.colour) == ("unloved", "#123456")


def test_its_column_is_counted_and_stands_in_its_rank(tmp_path: Path) -> None:
    doc = judge_run(run_of([sent("a").acknowledged(1), stored("a"), asks(Unloved())], tmp_path))
    columns = {measure.name: measure.of(doc) for measure in measures.of_checks()}
    assert [name for name in columns if name in ("lost", "unloved", "doubled")] == ["lost", "unloved", "doubled"]
    assert columns["unloved"].number == 1


def test_its_words_and_its_budget_are_known() -> None:
    passed = {"verdict": "passed", "checks": {"unloved": {"verdict": "passed", "required": True}}}
    assert "every event was loved" in sentence.sentence(passed)
    (specs,) = budget.apply([[checks.to_spec(Unloved())]], budget.parse(["sadness_ms=500"]))
    assert specs == [{"name": "unloved", "most_s": 0.5}]


@pytest.mark.parametrize(
    "found",
    [
        None,
        Finding(Verdict.FAILED, {"sad": 1}, {"sad": [0]}),  # type: ignore[list-item]
        Finding(Verdict.FAILED, {"sad": float("nan")}),
        Finding("fine", {}),  # type: ignore[arg-type]
    ],
)
def test_finding_that_no_verdict_can_hold_leaves_the_other_checks_theirs(
    found: Finding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unloved, "judge", lambda *_: found)
    doc = judge_run(run_of([sent("a").acknowledged(1), queued(0), asks(checks.NoLoss(), Unloved())], tmp_path))
    assert doc.checks["unloved"].verdict is Verdict.UNKNOWN
    assert doc.checks["no_loss"].verdict is Verdict.FAILED
    assert msgspec.json.decode((tmp_path / rundir.VERDICT).read_bytes(), type=VerdictDoc) == doc


def test_numbers_and_texts_of_numpy_are_as_good_as_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(_: Unloved, history: History) -> Finding:
        assert history.events is not None
        numbers: Any = {"sad": (history.events.due >= 0).sum()}
        return Finding(Verdict.FAILED, numbers, {"sad": history.events.event_id.to_numpy()})  # type: ignore[dict-item]

    monkeypatch.setattr(Unloved, "judge", judge)
    found = judge_run(run_of([sent("a").acknowledged(1), asks(Unloved())], tmp_path)).checks["unloved"]
    assert (found.verdict, found.counts, found.members) == (Verdict.FAILED, {"sad": 1}, {"sad": ["a"]})


def test_check_that_a_run_names_twice_counts_as_the_worse(tmp_path: Path) -> None:
    letter = dead("a", attempts=6, first_failed_at="2027-01-15T08:00:00Z", last_failed_at="2027-01-15T08:00:10Z")
    strict, lax = checks.RetriesBounded(attempts_per_letter=3), checks.RetriesBounded()
    for number, named in enumerate(([strict, lax], [lax, strict])):
        with pytest.raises(ScenarioError):
            Scenario(story="Twice.", load=Load(), checks=tuple(named))
        run = run_of([sent("a").acknowledged(1), letter, asks(*named)], tmp_path / str(number))
        assert judge_run(run).checks["retries_bounded"].verdict is Verdict.FAILED
    assert judge_run(run_of([letter, asks(lax)], tmp_path / "lax")).checks["retries_bounded"].verdict is Verdict.PASSED
