"""Every output is as its golden file shows it. `make golden` writes them anew: read `git diff` afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.dom import minidom

import msgspec
import pytest
import typer.main

from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.cli import app
from shaketable.compare import forms
from shaketable.report.ci import github, junit
from shaketable.results import result
from shaketable.results.result import Result, collect
from tests.conftest import Typed
from tests.support.comparisons import kept, losing, played, read, stopped
from tests.support.golden import FOLDER, Golden
from tests.support.saved import unpacked

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
OUTPUTS = {
    "check-passed.txt",
    "check-failed.txt",
    "explain.txt",
    "explain-event.txt",
    "list.txt",
    "doctor.txt",
    "diff.txt",
    "compare.txt",
    "compare.md",
    "junit.xml",
    "summary.md",
    "annotations.txt",
    "help.txt",
    *(f"help-{name}.txt" for name in COMMANDS),
}


@pytest.fixture(autouse=True)
def _of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "TERMINAL_WIDTH": "80"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def judged(tmp_path: Path, typed: Typed) -> Callable[[str], Path]:
    """A saved run by its verdict, judged by today's code."""

    def judge(name: str) -> Path:
        run = unpacked(name, tmp_path).path
        typed("check", run)
        return run

    return judge


def results(run: Path) -> list[Result]:
    """Its result, as `run` would report it."""
    doc = rundir.read_json(run / rundir.VERDICT, VerdictDoc)
    return [result.of(doc, 1, run="runs/x", seconds=12.3)]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help(command: str | None, typed: Typed, golden: Golden) -> None:
    done = typed(*([command] if command else []), "--help")
    assert done.returncode == 0
    golden.check(f"help-{command}.txt" if command else "help.txt", done.stdout)


@pytest.mark.parametrize("verdict", ["passed", "failed"])
def test_verdict_of_a_run(verdict: str, judged: Callable[[str], Path], typed: Typed, golden: Golden) -> None:
    done = typed("check", judged(verdict))
    assert done.stderr == ""
    golden.check(f"check-{verdict}.txt", done.stdout)


def test_law_of_every_check(typed: Typed, golden: Golden) -> None:
    golden.check("explain.txt", typed("explain").stdout)


def test_trace_of_an_event(judged: Callable[[str], Path], typed: Typed, golden: Golden) -> None:
    run = judged("failed")
    (life, *_) = msgspec.json.decode((run / rundir.VERDICT).read_bytes())["lives"]
    golden.check("explain-event.txt", typed("explain", run, "--event", life["event_id"]).stdout)


def test_list(typed: Typed, golden: Golden) -> None:
    golden.check("list.txt", typed("list").stdout)


def test_doctor(typed: Typed, golden: Golden) -> None:
    golden.check("doctor.txt", typed("doctor").stdout)


def test_difference_of_two_results(judged: Callable[[str], Path], tmp_path: Path, typed: Typed, golden: Golden) -> None:
    for name in ("passed", "failed"):
        found = [msgspec.structs.replace(each, scenario="outage", target="mine") for each in results(judged(name))]
        (tmp_path / f"{name}.json").write_bytes(msgspec.json.encode(collect(found)))
    done = typed("diff", tmp_path / "passed.json", tmp_path / "failed.json")
    assert done.returncode == 1
    golden.check("diff.txt", done.stdout)


def test_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    held = kept(tmp_path / "compare", ["a", "b", "c"])
    played(held, "a", *losing(0))
    played(held, "b", *losing(3))
    stopped(held, "c", "skipped", "expected npm on PATH, got none")
    found = read(held)
    forms.show(found)
    golden.check("compare.txt", capsys.readouterr().out)
    golden.check("compare.md", forms.markdown(found))


def test_files_for_ci(judged: Callable[[str], Path], golden: Golden) -> None:
    runs = [*results(judged("passed")), *results(judged("failed"))]
    golden.check("junit.xml", minidom.parseString(junit.document(runs)).toprettyxml(indent="  "))
    golden.check("summary.md", github.markdown(runs))
    golden.check("annotations.txt", "\n".join(github.commands(runs)))


def test_every_golden_file_is_an_output_s() -> None:
    assert {path.name for path in FOLDER.iterdir()} == OUTPUTS
