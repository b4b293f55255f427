"""The table of several runs: a row each, legible in a pipe."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from shaketable.checks import NoLoss
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import FaultSeen, Judged, judge_history
from shaketable.report.tables.table import WIDE, Styled
from shaketable.report.terminal import overview
from shaketable.results import result
from shaketable.results.result import Ending, Result
from tests.support.histories import asks, fault, history, probe, sent, stored


def shown(*runs: Result, width: int = WIDE) -> str:
    out = StringIO()
    overview.show(runs, Console(file=out, width=width))
    return out.getvalue()


def played(scenario: str, verdict: Ending, exit_code: int, seconds: float, **more: Any) -> Result:
    return Result(scenario=scenario, verdict=verdict, exit_code=exit_code, seconds=seconds, **more)


def seen(number: int, figure: float, unit: str, landed: bool = True) -> FaultSeen:
    return FaultSeen(number, "a test's", 0, 1, landed, figure, unit)


def test_row_has_witnesses_recovery_amounts_and_where_to_look() -> None:
    parts = (sent("a").acknowledged(1), sent("b").acknowledged(1), stored("a", at=31), probe(5, 12, 31.5))
    doc = judge_history(history(*parts, fault(10, 20), fault(12, 30), fault(12, 30, landed=False), asks(NoLoss())))
    run = result.of(doc, 1, run="runs/x", seconds=12.34)
    assert run.seconds == 12.3
    assert overview.witnesses(run.faults) == ["2× 1 links", "DID NOT LAND"]
    made = overview.table([run])
    row = {column.name: cell for column, cell in zip(made.columns, made.rows[0], strict=True)}
    assert (row["scenario"], row["verdict"], row["run"]) == ("literal", Styled("FAILED", "bold red"), "runs/x")
    assert (row["acknowledged"], row["stored"], row["lost"]) == ("2", "1", "1")
    assert (row["recovery"], row["seconds"]) == ("1.50", "12")


def test_table_has_a_line_for_each_run_however_long() -> None:
    figures = {"heal_to_empty_backlog_s": 1.5, "refused": 17, "indeterminate": 3, "acknowledged": 4200, "stored": 4200}
    runs = [
        played(
            "a",
            "passed",
            0,
            40.2,
            faults=[seen(0, 3, "of 3 links hit")],
            figures=figures,
            checks={"no_loss": Judged(Verdict.PASSED, {"lost": 0})},
            run="runs/20261123T101502Z-4f1c-a-reference",
        ),
        played(
            "b", "error", 255, 3, why="Toxiproxy [8474] does not answer", run="runs/20261123T101602Z-4f1d-b-reference"
        ),
        played("c", "interrupted", 255, 1),
    ]
    said = shown(*runs)
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "a passed 3 of 3 links hit 1.50 17 3 4,200 4,200 0 40 runs/20261123T101502Z-4f1c-a-reference" in lines
    assert "b ERROR – – – – – – – 3 runs/20261123T101602Z-4f1d-b-reference" in lines
    assert "b: Toxiproxy [8474] does not answer" in lines
    assert lines[-1] == "3 scenarios in 44 s: 1 passed, 1 error, 1 interrupted"


def test_names_are_no_markup_and_what_a_target_said_is_one_line_and_no_command() -> None:
    said = shown(played("[red]x.py", "error", 255, 1, why="setup ended: a\n ::error::x\n##[add-mask]x"), width=80)
    assert "[red]x.py ERROR" in " ".join(said.split())
    assert "[red]x.py: setup ended: a |  : :error: :x | ## [add-mask]x" in said.splitlines()


def test_nothing_played_is_an_empty_table() -> None:
    assert "0 scenarios in 0 s: none was played" in shown()


def test_of_many_witnesses_the_first_are_shown_and_always_what_did_not_land() -> None:
    missed = [seen(5, 0, "x", landed=False), seen(6, 0, "x", landed=False)]
    said = shown(played("a", "unknown", 2, 1, faults=[seen(n, n, unit) for n, unit in enumerate("abcd", 1)] + missed))
    assert "2× DID NOT LAND; 1 a; 2 b; 2 more" in said


def test_fault_that_nobody_could_see_is_not_said_to_have_missed() -> None:
    unseen = FaultSeen(3, "a test's", 0, 1, None, None, "")
    many = seen(1, 2_000_290, "bytes")
    assert overview.witnesses([unseen, many]) == ["NOT WITNESSED", "2,000,290 bytes"]
    more = [seen(n, n, unit) for n, unit in enumerate("abc", 1)]
    assert "NOT WITNESSED; 1 a; 2 b; 1 more" in shown(played("a", "unknown", 2, 1, faults=[*more, unseen]))


def test_trials_of_one_scenario_are_told_apart_and_counted_as_runs() -> None:
    said = shown(played("a", "passed", 0, 1), played("a", "passed", 0, 1, trial=2))
    assert "a (trial 2)" in said
    assert "2 runs in 2 s: 2 passed" in said


def test_narrow_terminal_shows_fewer_columns_whole_and_where_to_look() -> None:
    run = "runs/20261123T101502Z-4f1c-redis_wrong_eviction_policy-reference"
    wrong, right = played("redis_wrong_eviction_policy", "failed", 1, 40, run=run), played("a", "passed", 0, 1, run="r")
    said = shown(wrong, right, width=80)
    assert "…" not in said
    assert said.splitlines()[1].split() == ["scenario", "verdict", "recovery", "s", "acknowledged", "lost", "seconds"]
    assert f"redis_wrong_eviction_policy: {run}" in said
    assert "a: r" not in said
