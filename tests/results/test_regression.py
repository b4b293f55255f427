"""What is worse than it was: verdicts always, figures beyond their noise, and never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shaketable.checks import NoLoss
from shaketable.checks.verdict import judge_run
from shaketable.cli.check import check_run as check
from shaketable.cli.diff import diff
from shaketable.cli.outputs import Outputs
from shaketable.errors import InputError
from shaketable.results import regression
from shaketable.results.regression import Difference, Said, differences
from shaketable.results.result import Ending, Result, collect
from shaketable.results.saved import results
from tests.cli.test_cli import sentence
from tests.conftest import Typed
from tests.support.histories import asks, run_of, sent, stored
from tests.support.results import judged, played


def trials(*verdicts: Ending, **figures: Sequence[float]) -> list[Result]:
    """One for each verdict, each with its own of the figures."""
    return [
        played(verdict, trial=n + 1, figures={name: values[n] for name, values in figures.items()})
        for n, verdict in enumerate(verdicts)
    ]


def said(rows: list[Difference]) -> dict[str, Said]:
    return {row.what: row.said for row in rows}


SOUND = trials("passed", "passed", "passed")


def test_same_again_is_no_difference() -> None:
    rows = differences(SOUND, SOUND)
    assert said(rows) == {"verdict": Said.SAME}
    assert regression.code(rows) == 0


@pytest.mark.parametrize(
    ("old", "new", "verdict", "code"),
    [
        (["passed"], ["failed"], Said.WORSE, 1),
        (["passed"] * 3, ["passed", "passed", "failed"], Said.WORSE, 1),
        (["failed"], ["passed"], Said.BETTER, 0),
        (["failed", "passed"], ["failed", "failed"], Said.SAME, 0),
        (["passed"] * 4 + ["failed"], ["failed"] * 5, Said.WORSE, 1),
        (["passed"], ["unknown"], Said.LOST, 2),  # never read as a pass
        (["passed", "passed"], ["passed", "error"], Said.LOST, 2),
        (["passed"], ["interrupted"], Said.LOST, 2),
        (["unknown"], ["unknown"], Said.UNKNOWN, 2),  # nothing can be compared
        (["unknown"], ["passed"], Said.UNKNOWN, 2),
        (["passed", "unknown"], ["passed", "unknown"], Said.SAME, 0),
        (["passed"], [], Said.LOST, 2),
        (["passed", "unknown"], ["passed", "unknown", "unknown"], Said.LOST, 2),  # a greater share than before
        (["passed", "unknown"], ["passed", "passed", "unknown"], Said.SAME, 0),
        (["passed"] * 5 + ["unknown"], ["passed"] + ["unknown"] * 5, Said.LOST, 2),
        (["unknown"], ["failed"], Said.WORSE, 1),
        ([], ["failed"], Said.WORSE, 1),
        ([], ["passed"], Said.UNKNOWN, 2),
    ],
)
def test_verdict_that_got_worse_is_a_regression_and_one_that_is_missing_is_unknown(
    old: list[Ending], new: list[Ending], verdict: Said, code: int
) -> None:
    rows = differences(trials(*old), trials(*new))
    assert said(rows)["verdict"] is verdict
    assert regression.code(rows) == code


def test_scenario_that_is_not_played_any_more_is_told() -> None:
    rows = differences([*SOUND, played(scenario="calm")], SOUND)
    assert [(row.scenario, row.said, row.why) for row in rows] == [
        ("outage", Said.SAME, ""),
        ("calm", Said.LOST, "it was not played"),
    ]
    assert regression.code(rows) == 2


def test_scenario_that_is_new_and_passes_harms_nobody() -> None:
    assert regression.code(differences(SOUND, [*SOUND, played("passed", "calm")])) == 0


def test_scenario_that_is_new_and_fails_is_worse() -> None:
    rows = differences(SOUND, [*SOUND, played("failed", "calm")])
    assert [(row.scenario, row.said, row.why) for row in rows if row.scenario == "calm"] == [
        ("calm", Said.WORSE, "it is new")
    ]
    assert regression.code(rows) == 1


@pytest.mark.parametrize(("old", "new"), [(["a"], ["b"]), (["a", "b"], ["a"]), (["a"], ["a", "b"])])
def test_results_of_different_targets_are_bad_input_that_names_them(old: list[str], new: list[str]) -> None:
    before, now = ([played(target=name) for name in names] for names in (old, new))
    told = f"got {' and '.join(old)} before and {' and '.join(new)} now"
    with pytest.raises(InputError, match=told):
        differences(before, now)


def test_run_that_came_to_no_verdict_names_no_target_and_is_compared() -> None:
    assert said(differences(SOUND, [*SOUND, played("error", target="", why="it died")]))["verdict"] is Said.LOST


def checked(*, trial: int = 1, **checks: Any) -> Result:
    failed = any(found.verdict == "failed" for found in checks.values())
    return played("failed" if failed else "passed", trial=trial, checks=checks)


def test_check_that_got_worse_is_named_with_what_it_says() -> None:
    rows = differences(
        [checked(no_loss=judged("passed"), order_kept=judged("passed"))],
        [checked(no_loss=judged("failed", "8 are lost"), order_kept=judged("passed"))],
    )
    assert [(row.what, row.said, row.why) for row in rows] == [
        ("verdict", Said.WORSE, ""),
        ("no_loss", Said.WORSE, "8 are lost"),
    ]


def test_check_that_does_not_count_on_either_side_is_not_compared() -> None:
    loose = judged("failed", "grew", required=False)
    assert said(differences([played()], [played(checks={"no_loss": judged("passed"), "isolated": loose})])) == {
        "verdict": Said.SAME
    }


def test_failure_that_finds_something_it_never_found_is_worse() -> None:
    def found(**counts: Any) -> Result:
        return checked(no_loss=judged("failed", "so many", members={name: ["e"] for name in counts}, **counts))

    rows = differences([found(lost=8)], [found(lost=80, undelivered=3)])
    assert [(row.what, row.before, row.now, row.said) for row in rows if row.what != "verdict"] == [
        ("no_loss: undelivered", "0", "3", Said.WORSE)
    ]


def recoveries(*seconds: float, **more: Any) -> list[Result]:
    passed: list[Ending] = ["passed"] * len(seconds)
    return trials(*passed, heal_to_empty_backlog_s=seconds, **more)


def test_figure_beyond_the_noise_is_worse() -> None:
    rows = differences(recoveries(1.0, 1.2, 1.4), recoveries(4.0, 4.1, 4.2))
    assert said(rows)["recovery s"] is Said.WORSE
    assert (rows[1].before, rows[1].now) == ("1–1.4", "4–4.2")
    assert regression.code(rows) == 1


def test_figure_within_the_noise_is_as_before() -> None:
    rows = differences(recoveries(1.0, 2.2, 3.4), recoveries(4.0, 4.1, 4.2))
    assert said(rows)["recovery s"] is Said.SAME
    assert regression.code(rows) == 0


@pytest.mark.parametrize(("old", "new"), [(1, 1), (1, 5), (2, 3), (2, 0), (0, 3)])
def test_figure_of_too_few_trials_is_shown_and_not_judged(old: int, new: int) -> None:
    before, now = (recoveries(*[1.0] * count) or [played(figures={})] for count in (old, new))
    row = next(row for row in differences(before, now) if row.what == "recovery s")
    assert row.said is Said.UNKNOWN
    assert row.why == f"{old} and {new} trials; 3 each show the noise"
    assert regression.code(differences(before, now)) == 0


def test_figure_that_can_be_measured_no_more_is_lost() -> None:
    never = trials("passed", "passed", "passed", "passed", heal_to_empty_backlog_s=[None] * 4)  # type: ignore[list-item]
    rows = differences(recoveries(1, 1, 1, 1), never)
    row = next(row for row in rows if row.what == "recovery s")
    assert (row.now, row.said, row.why) == ("–", Said.LOST, "it was measured in 4 trials before, in none now")
    assert regression.code(rows) == 2
    assert regression.code(differences(never, recoveries(1, 1, 1, 1))) == 0


def test_more_is_better_where_it_is() -> None:
    def drained(*rates: float) -> list[Result]:
        return trials("passed", "passed", "passed", drained_per_s=rates)

    rows = differences(drained(2000, 2100, 2200), drained(900, 950, 1000))
    assert said(rows)["drain /s"] is Said.WORSE
    assert said(differences(drained(900, 950, 1000), drained(2000, 2100, 2200)))["drain /s"] is Said.BETTER


def test_what_a_starved_harness_measured_is_no_figure_of_the_target() -> None:
    starved = trials("unknown", "unknown", "unknown", heal_to_empty_backlog_s=[9, 9, 9])
    rows = differences(recoveries(1, 1, 1), [*recoveries(1, 1, 1), *starved])
    row = next(row for row in rows if row.what == "recovery s")
    assert (row.now, row.said) == ("1", Said.SAME)


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    return written(tmp_path / "old.json", SOUND)


def written(path: Path, runs: list[Result]) -> Path:
    path.write_bytes(msgspec.json.encode(collect(runs)))
    return path


def shaken(folder: Path, *, kept: bool) -> Path:
    """A run directory, judged, whose only event is kept or lost."""
    folder.mkdir(parents=True)
    run = run_of([sent("a").acknowledged(1), *([stored("a")] if kept else []), asks(NoLoss())], folder)
    judge_run(run)
    return run.path


@pytest.mark.parametrize(
    ("new", "code", "told"),
    [
        (SOUND, 0, "verdict: PASSED – nothing is worse"),
        (trials("failed"), 1, "verdict: FAILED – worse: verdict of outage, no_loss of outage"),
        (trials("unknown"), 2, "verdict: UNKNOWN – not judged now: verdict of outage"),
        ([], 2, "verdict: UNKNOWN – not judged now: verdict of outage"),
    ],
)
def test_command_ends_with_the_verdict(
    new: list[Result], code: int, told: str, baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff(baseline, written(tmp_path / "new.json", new)) == code
    assert capsys.readouterr().out.splitlines()[-1] == told


def test_nothing_in_common_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = written(tmp_path / "none.json", [])
    assert diff(nothing, nothing) == 2
    assert "nothing could be compared" in capsys.readouterr().out


def test_run_directories_folders_of_them_and_files_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(2):
        shaken(tmp_path / "old" / f"{n}", kept=True)
    lost = shaken(tmp_path / "new" / "0", kept=False)
    (tmp_path / "new" / "latest").symlink_to("0")
    assert diff(tmp_path / "old", tmp_path / "new") == 1
    said = capsys.readouterr().out
    assert "2 passed" in said
    assert "1 failed" in said  # the link is no run of its own
    file = tmp_path / "lost.json"
    assert check(lost, Outputs(json=file)) == 1
    assert diff(lost, file) == 0
    assert [run.scenario for run in results(tmp_path / "old")] == ["literal"] * 2


def test_run_that_was_never_judged_is_judged(tmp_path: Path) -> None:
    run = run_of([sent("a").acknowledged(1), asks(NoLoss())], tmp_path)
    (result,) = results(run.path)
    assert result.verdict == "failed"
    assert not run.has("verdict.json")


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"schema": 9'])
def test_file_that_holds_no_results_is_bad_input(content: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match="--json FILE"):
        results(tmp_path / "x.json")


def test_other_schema_is_bad_input(baseline: Path) -> None:
    baseline.write_text(baseline.read_text().replace('"schema":1', '"schema":2'))
    with pytest.raises(InputError, match="expected schema 1"):
        results(baseline)


def test_place_without_runs_is_one_sentence(tmp_path: Path, typed: Typed) -> None:
    done = typed("diff", tmp_path, tmp_path / "none")
    assert "holds no run" in sentence(done)
    assert done.returncode == 254


def test_github_gets_one_annotation_and_the_table(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    diff(baseline, written(tmp_path / "new.json", trials("failed")), github=True)
    assert "\n::error title=shaketable diff::FAILED – worse: verdict of outage" in capsys.readouterr().out
    assert "| outage | verdict | 3 passed | 1 failed | worse |" in (tmp_path / "summary.md").read_text()
    diff(baseline, baseline, github=True)
    assert "::error" not in capsys.readouterr().out
