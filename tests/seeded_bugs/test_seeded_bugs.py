"""Every seeded bug is caught by its own check in a real run; the sound reference passes the same scenarios.

For each change, one of TOGETHER: several bugs at once in one run, each caught by its own check. Every night the others,
and one bug for each check, by itself. `make prove` runs all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable import run
from shaketable.checks import CHECKS
from shaketable.checks.check import Verdict
from shaketable.runner import scenario as scenarios
from tests.seeded_bugs.catalogue import BUGS, FILES, by_the_clock, scenario, shake, shipped, target

IN_CI = {name: bug for name, bug in BUGS.items() if bug.in_ci}
#: A scenario, and bugs that show in it whatever the others do. Every check of a verdict is judged, asked for or not.
TOGETHER = [
    ("short_calm", ("not_idempotent", "truncates_a_field", "stores_what_it_refused")),
    ("queue_cut_off", ("acknowledges_before_queue", "accepts_malformed")),
    ("outage", ("health_always_100", "slow_after_outage")),
    ("one_worker_slow", ("two_workers_on_one_lane",)),
    ("few_poison", ("swallows_poison",)),
]
#: Of those, what is played for each change; the others are played every night.
EACH_CHANGE = ["short_calm"]


def marks(shown_by: str, names: tuple[str, ...]) -> list[pytest.MarkDecorator]:
    """Times say little beside other tests: a bug that only they show runs alone."""
    alone = [pytest.mark.alone] if any(by_the_clock(BUGS[name]) for name in names) else []
    return alone if shown_by in EACH_CHANGE else [*alone, pytest.mark.nightly]


APART = [pytest.param(*one, marks=marks(*one)) for one in TOGETHER]


def test_every_check_has_a_bug_that_it_must_catch_and_ci_runs_one_of_each() -> None:
    assert {bug.caught_by for bug in BUGS.values()} == set(CHECKS.kinds())
    assert sorted(bug.caught_by for bug in IN_CI.values()) == sorted(CHECKS.kinds())


@pytest.mark.parametrize("name", BUGS)
def test_scenario_that_shows_a_bug_asks_for_the_check_that_must_catch_it(name: str) -> None:
    asked = scenarios.load(scenario(BUGS[name].shown_by))
    assert BUGS[name].caught_by in [check.name for check in asked.checks]


@pytest.mark.parametrize("name", [name for name, bug in BUGS.items() if shipped(bug)])
def test_scenario_of_the_package_that_shows_a_bug_asks_for_its_check(name: str) -> None:
    asked = scenarios.load(str(scenarios.names()[shipped(BUGS[name])]))
    assert BUGS[name].caught_by in [check.name for check in asked.checks]


@pytest.mark.parametrize("name", BUGS)
def test_bug_stands_in_the_folder_of_the_check_that_must_catch_it(name: str) -> None:
    assert FILES[name].parent.name == BUGS[name].caught_by


@pytest.mark.parametrize("name", BUGS)
def test_bug_replaces_every_process_of_the_reference(name: str, tmp_path: Path) -> None:
    assert target(name, tmp_path).read_text().count(f"{name}.py") == 3


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(("shown_by", "names"), APART, ids=lambda given: given if isinstance(given, str) else "")
def test_bugs_of_one_run_are_each_caught_by_their_own_check(
    shown_by: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    first, *more = names
    found = run(scenario(shown_by), target=target(first, tmp_path, *more), runs=tmp_path / "runs")
    assert found.verdict == "failed"
    for bug in (BUGS[name] for name in names):
        judged = found.checks[bug.caught_by]
        assert (judged.verdict, bug.because in judged.why) == (Verdict.FAILED, True), judged


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("name", IN_CI)
def test_bug_is_caught_by_its_own_check(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    code, told = shake(bug.shown_by, target(name, tmp_path), tmp_path / "runs")
    assert told.checks[bug.caught_by].verdict is Verdict.FAILED, told.checks
    assert bug.because in told.checks[bug.caught_by].why
    assert code == 1


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted({bug.shown_by for bug in IN_CI.values()}))
def test_sound_reference_passes_the_scenario_that_shows_a_bug(name: str, tmp_path: Path) -> None:
    code, told = shake(name, target("", tmp_path), tmp_path / "runs")
    assert told.verdict is Verdict.PASSED, told
    assert code == 0
