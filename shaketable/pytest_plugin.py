"""For pytest: `@pytest.mark.shake("postgres_outage")` gates a test on a scenario, the fixture `shake` is its verdict.

Loaded with every suite of an environment that has shaketable, so nothing heavy is imported: the shake is played by a
process of its own.
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
from shaketable.results.shake import ShakeRequest, ShakeResult, play, read

SHAKEN = pytest.StashKey[ShakeResult]()
#: What was played in this session: tests that are marked alike share one run.
PLAYED = pytest.StashKey[dict[ShakeRequest, ShakeResult | ShaketableError]]()
#: Options that take a path.
OPTIONS = ("--shake-runs", "--shake-target")
#: How the mark is written.
MARK = "shake(scenario, *, target=None, seed=None, budget=None, gate=True)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where runs go, and what is shaken."""
    group = parser.getgroup("shaketable")
    for name, default, about in (
        ("runs", "runs", "Where shakes leave their run directories"),
        ("target", "", "The manifest of the processor that shakes shake, where the mark names none"),
    ):
        group.addoption(f"--shake-{name}", metavar="PATH", help=f"{about}.")
        parser.addini(f"shake_{name}", f"{about}, from the root directory.", default=default)


def pytest_configure(config: pytest.Config) -> None:
    """The mark is known."""
    config.addinivalue_line("markers", f"{MARK}: play a scenario of shaketable; the test fails unless it passed")
    config.stash[PLAYED] = {}
    _refuse_detached(config)


def _refuse_detached(config: pytest.Config) -> None:
    """pytest looks for its root directory before it knows our options: a path of ours would be taken for a test's."""
    given = [str(each) for each in config.invocation_params.args]
    for name, value in pairwise(given):
        here = config.invocation_params.dir
        if name in OPTIONS and not Path(os.path.abspath(here / value)).is_relative_to(here):
            raise pytest.UsageError(
                f"expected {name}={value}, got {name} {value}: apart, pytest takes a path outside of this folder "
                f"for a test's, and its root directory moves (to {config.rootpath})"
            )


def pytest_itemcollected(item: pytest.Item) -> None:
    """A marked test needs no fixture to be gated; a mark that cannot be read ends the session before any shake."""
    mark = _mark_of(item)
    if mark is None:
        return
    asked_of(item, mark)
    if isinstance(item, pytest.Function) and "shake" not in item.fixturenames:
        item.fixturenames = [*item.fixturenames, "shake"]  # a list of its own: all cases of a function share one


@pytest.fixture
def shake(request: pytest.FixtureRequest) -> ShakeResult:
    """The verdict of the shake that the test is marked with: `verdict`, `passed`, `checks`, `figures`, `run`."""
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
        pytest.fail(f"the shake {mark.args[0]} was not played: {found}", pytrace=False)
    if mark.kwargs.get("gate", True):
        item.stash[SHAKEN] = found
    item.user_properties += [("shake", f"{found.scenario} {found.verdict}"), ("shake_run", str(found.run))]
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test that passes fails yet where the shake did not: nobody can forget to look."""
    result = yield
    found = item.stash.get(SHAKEN, None)
    if found is not None and not found.passed:
        pytest.fail(str(found), pytrace=False)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each shake once: its verdict, and where its run lies."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    properties = [dict(getattr(report, "user_properties", ())) for report in reports]
    told = {known["shake_run"]: known["shake"] for known in properties if "shake_run" in known}
    if told:
        terminalreporter.section("shakes")
    for run, what in told.items():
        terminalreporter.write_line(f"{what}: {run}")


def _mark_of(item: pytest.Item) -> pytest.Mark | None:
    """The nearest: a test's own stands in place of its class's. Raises pytest.UsageError for two in one place."""
    for node in reversed(item.listchain()):
        marks = [mark for mark in node.own_markers if mark.name == "shake"]
        if len(marks) > 1:
            told = " and ".join(f"shake({', '.join(map(repr, mark.args))})" for mark in marks)
            raise pytest.UsageError(f"{item.nodeid}: expected one mark, got {told}: write a test for each")
        if marks:
            return marks[0]
    return None


def asked_of(item: pytest.Item, mark: pytest.Mark) -> ShakeRequest:
    """What the mark asks for. Raises pytest.UsageError with how it is written."""
    known: dict[str, tuple[type, ...]] = {"target": (str, Path), "seed": (int,), "budget": (dict,), "gate": (bool,)}
    given = {key: value for key, value in mark.kwargs.items() if value is not None}
    fits = all(isinstance(value, known.get(key, ())) for key, value in given.items())
    budget = given.get("budget", {}) if fits else {}
    if not fits or not all(isinstance(most, int | float) for most in budget.values()) or not _is_one_name(mark.args):
        got = ", ".join([*map(repr, mark.args), *(f"{key}={value!r}" for key, value in mark.kwargs.items())])
        raise pytest.UsageError(f"{item.nodeid}: expected @pytest.mark.{MARK}, got shake({got})")
    target = given.get("target") or _option(item.config, "target")
    return ShakeRequest(str(mark.args[0]), str(target), given.get("seed"), tuple(sorted(budget.items())))


def _is_one_name(given: tuple[object, ...]) -> bool:
    return len(given) == 1 and isinstance(given[0], str | Path)


def _shared(config: pytest.Config, asked: ShakeRequest, folder: Path) -> ShakeResult | ShaketableError:
    """Under pytest-xdist: the first process that wants a shake plays it, and the others wait for its verdict."""
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
    """The command line's path, from where pytest was called; else the ini file's, from the root directory; or ""."""
    if given := config.getoption(f"--shake-{name}"):
        return str(config.invocation_params.dir / given)
    written = config.getini(f"shake_{name}")
    return str(config.rootpath / written) if written else ""
