"""The badge: the verdict in a file of its own, and how far it can be trusted."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from shaketable.report.ci import badge
from shaketable.results.result import Result

SVG = "{http://www.w3.org/2000/svg}"


def run(verdict: str, scenario: str = "calm", trial: int = 1) -> Result:
    code = {"passed": 0, "failed": 1}.get(verdict, 2)
    return Result(scenario=scenario, verdict=verdict, exit_code=code, trial=trial)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "told", "colour"),
    [
        (["passed", "passed"], "passed in 2 runs", badge.COLOURS["passed"]),
        (["passed", "skipped"], "passed in 1 run", badge.COLOURS["passed"]),
        (["failed", "failed"], "failed in 2 runs", badge.COLOURS["failed"]),
        (["passed", "failed", "unknown"], "1 of 3 failed", badge.COLOURS["failed"]),  # the others did not fail
        (["passed", "unknown", "skipped"], "1 of 2 unknown", badge.OTHER),
        ([], "unknown in 0 runs", badge.OTHER),
    ],
)
def test_badge_has_the_worst_verdict(tmp_path: Path, verdicts: list[str], told: str, colour: str) -> None:
    badge.write(tmp_path / "badge.svg", [run(each, f"s{n}") for n, each in enumerate(verdicts)])
    made = ET.parse(tmp_path / "badge.svg").getroot()
    assert [text.text for text in made.iter(f"{SVG}text")] == ["shaketable", told]
    assert [path.get("fill") for path in made.iter(f"{SVG}path")] == [colour]


def test_title_bounds_the_flakiness_only_if_every_scenario_was_repeated() -> None:
    repeated = [run("passed", trial=n) for n in (1, 2, 3)]
    assert "none in 3 trials" in badge.bound(repeated)
    assert badge.bound([*repeated, run("passed", "storm")]) == badge.bound([]) == "a run is one sample"
    assert "failed 1 of 2 trials" in badge.bound([*repeated, run("passed", "storm"), run("failed", "storm", 2)])


def test_title_bounds_a_scenario_that_failed_before_one_with_fewer_trials() -> None:
    fails_half = [run("failed" if n % 2 else "passed", "a", n) for n in range(1, 11)]
    assert "failed 5 of 10 trials" in badge.bound([*fails_half, *(run("passed", "b", n) for n in (1, 2, 3))])
