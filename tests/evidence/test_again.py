"""The command that is printed plays the run once more, as pasted."""

from __future__ import annotations

import html
import shlex
from pathlib import Path
from typing import Any

import pytest

from shaketable import rundir
from shaketable.cli import stack_options
from shaketable.evidence import again
from shaketable.report.page import page
from shaketable.rundir import RunDir
from shaketable.runner import scenario
from shaketable.runner.order import Options, order
from shaketable.stack.choice import Choice
from shaketable.stack.external_services import VARIABLES, ExternalServices
from tests.conftest import Typed
from tests.support.histories import run_of
from tests.support.shown import whole

CALM = Path(__file__).parents[2] / "scenarios" / "calm.py"
REFERENCE = Path(__file__).parents[2] / "reference_impl" / "target.toml"


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RunDir, list[str]]:
    """A run of a scenario's file on a manifest, both in a folder with a space, as typed from that folder."""
    folder = tmp_path / "a folder; of 'mine'"
    folder.mkdir()
    for path, name in ((CALM, "my calm.py"), (REFERENCE, "my target.toml")):
        (folder / name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(folder)
    options = Options(target=Path("my target.toml"), budgets=("recovery_s=10",))
    asked = order("my calm.py@30", options)
    assert asked.asked
    run = run_of(whole(), folder / "runs" / "20270101T000000Z-aaaa-my calm-reference")
    rundir.write_json(run / rundir.ASKED, asked.asked)
    return run, ["my calm.py@30", "--target", "my target.toml", "--budget", "recovery_s=10"]


def words(line: str) -> list[str]:
    return shlex.split(line.partition("again:")[2])


def test_command_is_quoted_and_has_what_was_typed(played: tuple[RunDir, list[str]]) -> None:
    run, typed = played
    where = str(run.path.relative_to(Path.cwd()))
    assert shlex.split(again.command(run, "x")) == ["shaketable", "run", *typed, "--replay", where]


def test_from_another_folder_its_paths_are_whole(
    played: tuple[RunDir, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = played
    monkeypatch.chdir("/")
    _, _, named, _, target, *_, replay = shlex.split(again.command(run, "x"))
    assert scenario.load(named).load.rate == 30
    assert Path(target).is_file()
    assert rundir.find(Path(replay)).path == run.path


def test_check_and_page_print_the_same_command(played: tuple[RunDir, list[str]], typed: Typed) -> None:
    run, _ = played
    told = typed("check", run.path).stdout
    (line,) = [line for line in told.splitlines() if line.startswith("again:")]
    assert words(line) == shlex.split(again.command(run, "x"))
    assert again.command(run, "x") in html.unescape(page.report(run).read_text(encoding="utf-8"))


@pytest.mark.parametrize("damage", [None, b"", b"[]", b'{"scenario": 1}'])
def test_run_that_does_not_say_what_was_typed_is_named_by_its_scenario(damage: bytes | None, tmp_path: Path) -> None:
    run = run_of(whole(), tmp_path / "run")
    if damage is not None:
        (run / rundir.ASKED).write_bytes(damage)
    assert shlex.split(again.command(run, "a; b")) == ["shaketable", "run", "a; b", "--replay", str(run.path)]


def test_path_that_begins_like_an_option_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-calm.py").write_text(CALM.read_text(encoding="utf-8"), encoding="utf-8")
    run = run_of(whole(), tmp_path / "-run")
    rundir.write_json(run / rundir.ASKED, order("-calm.py", Options()).asked)
    assert shlex.split(again.command(run, "x")) == ["shaketable", "run", "./-calm.py", "--replay", "./-run"]


@pytest.mark.slow
def test_of_given_services_permissions_are_repeated_and_urls_are_not(tmp_path: Path, typed: Typed) -> None:
    given = ExternalServices(
        "postgresql://u:secret@192.0.2.1/d",
        "redis://:secret@127.0.0.1",
        allow_remote=("192.0.2.1",),
        allow_not_empty=True,
    )
    asked = order("calm", Options(stack=Choice("external", given)))
    run = run_of(whole(), tmp_path / "run")
    rundir.write_json(run / rundir.ASKED, asked.asked)
    words = ["--stack", "external", "--allow-remote", "192.0.2.1", "--allow-not-empty", "--replay", str(run.path)]
    assert shlex.split(again.command(run, "x")) == ["shaketable", "run", "calm", *words]
    assert "secret" not in (run / rundir.ASKED).read_text(encoding="utf-8")
    named = "first set SHAKETABLE_POSTGRES, SHAKETABLE_REDIS"
    assert named in typed("check", run.path).stdout
    assert named in page.report(run).read_text(encoding="utf-8")


def test_variables_that_are_named_are_those_that_are_read() -> None:
    read: tuple[Any, ...] = (
        stack_options.Postgres,
        stack_options.Redis,
        stack_options.PostgresAdmin,
        stack_options.Toxiproxy,
    )
    assert [kind.__metadata__[0].envvar for kind in read] == list(VARIABLES.values())


def test_run_on_servers_of_its_own_needs_nothing(played: tuple[RunDir, list[str]]) -> None:
    assert again.needs(played[0]) == ""
