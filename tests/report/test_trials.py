"""Trials together: how many passed, the ranges, and no more than they prove."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from shaketable.report.terminal import trials
from shaketable.results.result import Ending, Result
from tests.support.results import judged, played


def trial(n: int, verdict: Ending = "passed", recovery: float | None = 1.5, **more: Any) -> Result:
    return played(verdict, trial=n, figures={"heal_to_empty_backlog_s": recovery, "intake_p99_ms": 10.0 + n}, **more)


def shown(*runs: Result, width: int = 200) -> str:
    out = StringIO()
    trials.show(runs, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_row_has_passes_and_the_range_of_each_figure_that_is_known() -> None:
    said = shown(trial(1), trial(2, recovery=2.25), trial(3, recovery=None))
    assert "recovery s" in said
    assert " ".join(said.splitlines()[2].split()) == "outage 3 of 3 1.5–2.25 – – – 11–13 –"


def test_trials_without_a_failure_prove_their_bound_and_no_more() -> None:
    said = shown(trial(1), trial(2), trial(3))
    assert "outage: failed: none in 3 trials: at most 64 % of trials, with 95 % confidence" in said
    assert "assuming that trials are independent and alike" in said


def test_name_of_a_scenario_is_no_markup() -> None:
    for width in (200, 60):
        said = shown(*(trial(n, scenario="[red]x.py") for n in (1, 2)), width=width)
        assert said.count("[red]x.py") == 2


def test_what_was_not_judged_proves_nothing() -> None:
    assert "none in 1 trial: at most 95 %" in shown(trial(1), trial(2, "unknown"))
    assert "; 1 not judged" in shown(trial(1), trial(2, "error", why="no disk"))
    assert "no trials: nothing is proved; 2 not judged" in shown(trial(1, "unknown"), trial(2, "unknown"))


def test_failures_are_counted() -> None:
    assert "outage: failed 1 of 2 trials; 1 not judged" in shown(trial(1, "failed"), trial(2), trial(3, "unknown"))


def test_scenario_that_was_played_once_is_no_matter_of_trials() -> None:
    assert shown(trial(1), played(scenario="calm")) == ""
    assert "calm" not in shown(trial(1), trial(2), played(scenario="calm"))


def test_freshness_is_a_count_of_its_check() -> None:
    fresh = {"latency_budget": judged("passed", stored_p99_s=0.75)}
    assert "0.75" in shown(trial(1, checks=fresh), trial(2, checks=fresh))


def test_narrow_terminal_shows_every_figure_whole() -> None:
    said = shown(trial(1), trial(2, recovery=2.25), width=60)
    assert "…" not in said
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert {"outage passed 2 of 2", "recovery s 1.5–2.25", "intake p99 ms 11–12"} <= set(lines)
