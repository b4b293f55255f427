"""The table of several runs: a row each, legible in a pipe."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from shaketable.checks import NoLoss
from shaketable.report import overview
from shaketable.report.overview import Row
from shaketable.verdict import judge_history
from tests.histories import asks, fault, history, probe, sent, stored


def shown(*rows: Row) -> str:
    out = StringIO()
    overview.show(rows, Console(file=out, width=overview.WIDE))
    return out.getvalue()


def test_row_has_witnesses_recovery_amounts_and_where_to_look() -> None:
    parts = (sent("a").acknowledged(1), sent("b").acknowledged(1), stored("a", at=31), probe(5, 12, 31.5))
    doc = judge_history(history(*parts, fault(10, 20), fault(12, 30), fault(12, 30, landed=False), asks(NoLoss())))
    row = overview.row(doc, 1, 12.34, "runs/x")
    assert (row.scenario, row.verdict, row.seconds, row.run) == ("literal", "failed", 12.3, "runs/x")
    assert (row.acknowledged, row.stored, row.lost) == (2, 1, 1)
    assert row.recovery_s == 1.5
    assert row.witnesses == ["2× 1 links", "DID NOT LAND"]


def test_table_has_a_line_for_each_run_however_long() -> None:
    rows = [
        Row("a", "passed", 0, 40.2, witnesses=["3 of 3 links hit"], recovery_s=1.5, refused=17, indeterminate=3,
            acknowledged=4200, stored=4200, lost=0, run="runs/20261123T101502Z-4f1c-a-reference"),
        Row("b", "error", 255, 3, why="Toxiproxy [8474] does not answer", run="runs/20261123T101602Z-4f1d-b-reference"),
        Row("c", "interrupted", 255, 1),
    ]  # fmt: skip
    said = shown(*rows)
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "a passed 3 of 3 links hit 1.50 17 3 4,200 4,200 0 40 runs/20261123T101502Z-4f1c-a-reference" in lines
    assert "b ERROR – – – – – – – 3 runs/20261123T101602Z-4f1d-b-reference" in lines
    assert "b: Toxiproxy [8474] does not answer" in lines
    assert lines[-1] == "3 scenarios in 44 s: 1 passed, 1 error, 1 interrupted"


def test_nothing_played_is_an_empty_table() -> None:
    assert "0 scenarios in 0 s: none was played" in shown()


def test_of_many_witnesses_the_first_are_shown_and_always_what_did_not_land() -> None:
    said = shown(Row("a", "unknown", 2, 1, witnesses=["1 a", "2 b", "3 c", "4 d", "2× DID NOT LAND"]))
    assert "2× DID NOT LAND; 1 a; 2 b; 2 more" in said
