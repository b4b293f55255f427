"""A check is one value: its report words, anomalies, columns and budgets come with it, wherever it is defined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from shaketable import checks
from shaketable.checks import Anomaly, Budget, Column, Finding, History, Verdict, budget
from shaketable.checks.verdict import judge_run
from shaketable.compare import measures
from shaketable.report.page import anomalies, sentence
from tests.support.histories import asks, run_of, sent, stored


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
