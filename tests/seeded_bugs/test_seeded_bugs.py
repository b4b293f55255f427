"""Every seeded bug is caught by its own check in a real run; the sound reference passes the same scenarios.

Here one bug for each check; `make prove` runs all of them. The tests share nothing, so that workers can play their
shakes side by side: a shake mostly waits.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.checks import CHECKS
from shaketable.checks.check import Verdict
from shaketable.runner import scenario as scenarios
from tests.seeded_bugs.catalogue import BUGS, FILES, scenario, shake, target

IN_CI = {name: bug for name, bug in BUGS.items() if bug.in_ci}


def test_every_check_has_a_bug_that_it_must_catch_and_ci_runs_one_of_each() -> None:
    assert {bug.caught_by for bug in BUGS.values()} == set(CHECKS.kinds())
    assert sorted(bug.caught_by for bug in IN_CI.values()) == sorted(CHECKS.kinds())


@pytest.mark.parametrize("name", BUGS)
def test_scenario_that_shows_a_bug_asks_for_the_check_that_must_catch_it(name: str) -> None:
    asked = scenarios.load(scenario(BUGS[name].shown_by))
    assert BUGS[name].caught_by in [check.name for check in asked.checks]


@pytest.mark.parametrize("name", BUGS)
def test_bug_stands_in_the_folder_of_the_check_that_must_catch_it(name: str) -> None:
    assert FILES[name].parent.name == BUGS[name].caught_by


@pytest.mark.parametrize("name", BUGS)
def test_bug_replaces_every_process_of_the_reference(name: str, tmp_path: Path) -> None:
    assert target(name, tmp_path).read_text().count(f"{name}.py") == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_CI)
def test_bug_is_caught_by_its_own_check(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    code, told = shake(bug.shown_by, target(name, tmp_path), tmp_path / "runs")
    assert told.checks[bug.caught_by].verdict is Verdict.FAILED, told.checks
    assert bug.because in told.checks[bug.caught_by].why
    assert code == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({bug.shown_by for bug in IN_CI.values()}))
def test_sound_reference_passes_the_scenario_that_shows_a_bug(name: str, tmp_path: Path) -> None:
    code, told = shake(name, target("", tmp_path), tmp_path / "runs")
    assert told.verdict is Verdict.PASSED, told
    assert code == 0
