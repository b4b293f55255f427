"""Every seeded bug is caught by its own check in a real run; the sound reference passes the same scenarios.

Here one bug for each check; `make prove` runs all of them. As there, two shakes run side by side: they mostly wait.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from shaketable.checks import CHECKS
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.runner import scenario as scenarios
from tests.seeded_bugs.catalogue import BUGS, scenario, shake, target

IN_CI = {name: bug for name, bug in BUGS.items() if bug.in_ci}
#: What a test waits for.
Shake = Callable[[], tuple[int, VerdictDoc]]


@pytest.fixture(scope="module")
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[tuple[int, VerdictDoc]]]]:
    """The shakes of all tests that are asked for, by the test's name, two at a time and in the tests' order."""
    mine = [item for item in request.session.items if item.path == request.path]
    asked = [item for item in mine if "played" in getattr(item, "fixturenames", ())]
    pool = ThreadPoolExecutor(min(2, len(os.sched_getaffinity(0))))

    def begin(test: str, name: str) -> Future[tuple[int, VerdictDoc]]:
        folder, is_bug = tmp_path_factory.mktemp("shake"), test.startswith("test_bug")
        shown_by, manifest = (BUGS[name].shown_by, target(name, folder)) if is_bug else (name, target("", folder))
        return pool.submit(shake, shown_by, manifest, folder / "runs")

    yield {item.name: begin(item.name, item.callspec.params["name"]) for item in asked}  # type: ignore[attr-defined]
    pool.shutdown(cancel_futures=True)


@pytest.fixture
def played(request: pytest.FixtureRequest, started: dict[str, Future[tuple[int, VerdictDoc]]]) -> Shake:
    """This test's shake, when it is done."""
    return started[request.node.name].result


def test_every_check_has_a_bug_that_it_must_catch_and_ci_runs_one_of_each() -> None:
    assert {bug.caught_by for bug in BUGS.values()} == set(CHECKS.kinds())
    assert sorted(bug.caught_by for bug in IN_CI.values()) == sorted(CHECKS.kinds())


@pytest.mark.parametrize("name", BUGS)
def test_scenario_that_shows_a_bug_asks_for_the_check_that_must_catch_it(name: str) -> None:
    asked = scenarios.load(scenario(BUGS[name].shown_by))
    assert BUGS[name].caught_by in [check.name for check in asked.checks]


@pytest.mark.parametrize("name", BUGS)
def test_bug_replaces_every_process_of_the_reference(name: str, tmp_path: Path) -> None:
    assert target(name, tmp_path).read_text().count(f"{name}.py") == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_CI)
def test_bug_is_caught_by_its_own_check(name: str, played: Shake) -> None:
    bug, (code, told) = BUGS[name], played()
    assert told.checks[bug.caught_by].verdict is Verdict.FAILED, told.checks
    assert bug.because in told.checks[bug.caught_by].why
    assert code == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({bug.shown_by for bug in IN_CI.values()}))
def test_sound_reference_passes_the_scenario_that_shows_a_bug(name: str, played: Shake) -> None:
    code, told = played()
    assert told.verdict is Verdict.PASSED, told
    assert code == 0
