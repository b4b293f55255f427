"""For pytest: `@pytest.mark.shake("postgres_outage")` gates a test on a scenario, the fixture `shake` is its verdict.

`@pytest.mark.explore(budget="5m")` gates a test on an exploration without a finding.

pytest loads this plugin in every suite of an environment with shaketable, so it imports nothing heavy: a separate
process plays the shake.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shaketable.errors import InputError, ShaketableError
from shaketable.results import exploration
from shaketable.results.exploration import ExploreRequest, ExploreResult
from shaketable.results.shake import ShakeRequest, ShakeResult, play, read
from shaketable.text import in_a_line

SHAKEN = pytest.StashKey[ShakeResult]()
#: Results of this session: tests with equal marks share one run.
PLAYED = pytest.StashKey[dict[ShakeRequest, ShakeResult | ShaketableError]]()
#: Explorations of this session.
EXPLORED = pytest.StashKey[dict[ExploreRequest, ExploreResult | ShaketableError]]()
#: Options that take a path.
OPTIONS = ("--shake-runs", "--shake-target")
#: How the mark is written.
MARK = "shake(scenario, *, target=None, seed=None, budget=None, gate=True)"
EXPLORE = "explore(budget, *, target=None, seed=None)"
#: The folder of findings, in that of the runs.
FOUND = "found"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for the runs' folder and the target."""
    group = parser.getgroup("shaketable")
    for name, default, about in (
        ("runs", "runs", "Folder for the run directories of shakes"),
        ("target", "", "Manifest of the processor under test, unless the mark names one"),
    ):
        group.addoption(f"--shake-{name}", metavar="PATH", help=f"{about}.")
        parser.addini(f"shake_{name}", f"{about}, from the root directory.", default=default)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", f"{MARK}: play a scenario of shaketable; the test fails unless it passed")
    config.addinivalue_line("markers", f"{EXPLORE}: search for faults that break the target; the test fails for each")
    config.stash[PLAYED], config.stash[EXPLORED] = {}, {}
    _refuse_detached(config)


def _refuse_detached(config: pytest.Config) -> None:
    """pytest determines its rootdir before it knows the plugin's options, and mistakes their path for a test's."""
    given = [str(each) for each in config.invocation_params.args]
    for name, value in pairwise(given):
        here, root = config.invocation_params.dir, config.rootpath
        path = Path(os.path.abspath(here / value))
        moved = root != here and root.is_relative_to(here) and path.is_relative_to(root)  # an ini file is there
        if name in OPTIONS and (moved or not path.is_relative_to(here)):
            raise pytest.UsageError(
                f"expected {name}={value}, got {name} {value}: apart, pytest takes the path for a test's, "
                f"and its root directory moves (to {root})"
            )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gate a marked test that does not request the fixture; an invalid mark ends the session before any shake."""
    if (exploring := item.get_closest_marker("explore")) is not None:
        exploration_of(item, exploring)
    mark = _mark_of(item)
    if mark is None:
        return
    asked_of(item, mark)
    if isinstance(item, pytest.Function) and "shake" not in item.fixturenames:
        item.fixturenames = [*item.fixturenames, "shake"]  # a new list: all cases of a function share one


@pytest.fixture
def shake(request: pytest.FixtureRequest) -> ShakeResult:
    """The result of the shake in the test's mark: `verdict`, `passed`, `checks`, `figures`, `run`."""
    item = request.node
    mark = _mark_of(item)
    if mark is None:
        pytest.fail(f"expected @pytest.mark.{MARK} on a test that asks for `shake`", pytrace=False)
    asked = asked_of(item, mark)
    if hasattr(item.config, "workerinput"):  # pytest-xdist: their folders have one parent
        found = _shared(item.config, asked, request.getfixturevalue("tmp_path_factory").getbasetemp().parent)
    else:
        found = _played(item.config, asked)
    if isinstance(found, ShaketableError):
        pytest.fail(f"the shake {mark.args[0]} was not played: {in_a_line(str(found))}", pytrace=False)
    if mark.kwargs.get("gate", True):
        item.stash[SHAKEN] = found
    item.user_properties += [("shake", f"{found.scenario} {found.verdict}"), ("shake_run", str(found.run))]
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a passing test whose shake or exploration did not pass, so that the verdict cannot be overlooked."""
    result = yield
    if (mark := item.get_closest_marker("explore")) is not None:
        explored = _explored(item.config, exploration_of(item, mark))
        if isinstance(explored, ShaketableError) or explored.verdict != "passed":
            told = in_a_line(str(explored)) if isinstance(explored, ShaketableError) else str(explored)
            pytest.fail(told, pytrace=False)
    found = item.stash.get(SHAKEN, None)
    if found is not None and not found.passed:
        pytest.fail(str(found), pytrace=False)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List each shake once, with its verdict and run directory."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    properties = [dict(getattr(report, "user_properties", ())) for report in reports]
    told = {known["shake_run"]: known["shake"] for known in properties if "shake_run" in known}
    if told:
        terminalreporter.section("shakes")
    for run, what in told.items():
        terminalreporter.write_line(f"{what}: {run}")


def _mark_of(item: pytest.Item) -> pytest.Mark | None:
    """Return the nearest mark: a test's own replaces its class's. Raises pytest.UsageError for two on one node."""
    for node in reversed(item.listchain()):
        marks = [mark for mark in node.own_markers if mark.name == "shake"]
        if len(marks) > 1:
            told = " and ".join(f"shake({', '.join(map(repr, mark.args))})" for mark in marks)
            raise pytest.UsageError(f"{item.nodeid}: expected one mark, got {told}: write a test for each")
        if marks:
            return marks[0]
    return None


def asked_of(item: pytest.Item, mark: pytest.Mark) -> ShakeRequest:
    """Read the request from the mark. Raises pytest.UsageError with the expected form."""
    known: dict[str, tuple[type, ...]] = {"target": (str, Path), "seed": (int,), "budget": (dict,), "gate": (bool,)}
    given = {key: value for key, value in mark.kwargs.items() if value is not None}
    fits = all(isinstance(value, known.get(key, ())) for key, value in given.items())
    budget = given.get("budget", {}) if fits else {}
    if not fits or not all(isinstance(most, int | float) for most in budget.values()) or not _is_one_name(mark.args):
        got = ", ".join([*map(repr, mark.args), *(f"{key}={value!r}" for key, value in mark.kwargs.items())])
        raise pytest.UsageError(f"{item.nodeid}: expected @pytest.mark.{MARK}, got shake({got})")
    target = given.get("target") or _option(item.config, "target")
    return ShakeRequest(str(mark.args[0]), str(target), given.get("seed"), tuple(sorted(budget.items())))


def exploration_of(item: pytest.Item, mark: pytest.Mark) -> ExploreRequest:
    """Read the request from an explore mark. Raises pytest.UsageError with the expected form."""
    known: dict[str, tuple[type, ...]] = {"budget": (str,), "target": (str, Path), "seed": (int,)}
    given = {**dict(zip(("budget",), mark.args, strict=False)), **mark.kwargs}
    given = {key: value for key, value in given.items() if value is not None}
    if (
        len(mark.args) > 1
        or "budget" not in given
        or not all(isinstance(value, known.get(key, ())) for key, value in given.items())
    ):
        raise pytest.UsageError(f"{item.nodeid}: expected @pytest.mark.{EXPLORE}, such as explore(budget='5m')")
    target = given.get("target") or _option(item.config, "target")
    return ExploreRequest(given["budget"], str(target), given.get("seed"))


def _explored(config: pytest.Config, asked: ExploreRequest) -> ExploreResult | ShaketableError:
    explored = config.stash[EXPLORED]
    if asked not in explored:
        try:
            explored[asked] = exploration.play(asked, Path(_option(config, "runs")) / FOUND, config.rootpath)
        except ShaketableError as e:
            explored[asked] = e
    return explored[asked]


def _is_one_name(given: tuple[object, ...]) -> bool:
    return len(given) == 1 and isinstance(given[0], str | Path)


def _shared(config: pytest.Config, asked: ShakeRequest, folder: Path) -> ShakeResult | ShaketableError:
    """Under pytest-xdist the first process that requests a shake plays it; the others wait for its verdict."""
    name = hashlib.sha256(repr(asked).encode()).hexdigest()[:16]
    told = folder / f"shaketable-{name}.json"
    with (folder / f"shaketable-{name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            found = _played(config, asked)
            error = str(found) if isinstance(found, ShaketableError) else ""
            answer = {"error": error, "run": "" if error else str(getattr(found, "run", ""))}
            told.write_text(json.dumps(answer), encoding="utf-8")
            return found
    was = json.loads(told.read_text(encoding="utf-8"))
    return InputError(was["error"]) if was["error"] else read(Path(was["run"]))


def _played(config: pytest.Config, asked: ShakeRequest) -> ShakeResult | ShaketableError:
    played = config.stash[PLAYED]
    if asked not in played:
        try:
            played[asked] = play(asked, Path(_option(config, "runs")), config.rootpath)
        except ShaketableError as e:
            played[asked] = e
    return played[asked]


def _option(config: pytest.Config, name: str) -> str:
    """The path from the command line (relative to the invocation directory) or the ini file (relative to rootdir)."""
    if given := config.getoption(f"--shake-{name}"):
        return str(config.invocation_params.dir / given)
    written = config.getini(f"shake_{name}")
    return str(config.rootpath / written) if written else ""
