"""Whatever becomes of a run, what CI reads is written, and says so."""

from __future__ import annotations

import dataclasses
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from shaketable import rundir
from shaketable.checks import NoLoss
from shaketable.cli import playing
from shaketable.cli.check import check_run as check
from shaketable.cli.outputs import Outputs
from shaketable.errors import InputError, RunDirError
from shaketable.report import judging
from shaketable.results.result import Result
from shaketable.rundir import RunDir
from shaketable.runner.order import Options, Order, order
from tests.cli.test_cli import REFERENCE, ROOT, SCENARIO, sentence, shaketable
from tests.conftest import Typed
from tests.results.test_result import valid
from tests.support.histories import absent, asks, run_of, sent, stored
from tests.support.results import played


@pytest.mark.slow
def test_run_that_came_to_no_verdict_is_an_error_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "short.py").write_text(SCENARIO)
    dying = REFERENCE.read_text().replace('"-m", "reference_impl", "migrate"', '"-c", "raise SystemExit(7)"')
    (tmp_path / "target.toml").write_text(dying.replace('cwd = ".."', f'cwd = "{ROOT}"'))
    done = shaketable(
        "run",
        tmp_path / "short.py",
        "--target",
        tmp_path / "target.toml",
        "--runs",
        tmp_path / "runs",
        "--github",
        "--json",
        tmp_path / "out" / "results.json",
        "--junit",
        tmp_path / "out" / "junit.xml",
        env={"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")},
    )
    assert "setup ended with exit code 7" in sentence(done)
    assert "::error title=short%3A error::" in done.stdout
    told = valid((tmp_path / "out" / "results.json").read_bytes())
    assert (told["verdict"], told["exit_code"]) == ("error", done.returncode)
    assert Path(told["runs"][0]["run"]).exists()
    (suite,) = ET.parse(tmp_path / "out" / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    assert "💥 error" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("parts", "code", "result"),
    [
        ([sent("a").acknowledged(1), stored("a")], 0, None),
        ([sent("a").acknowledged(1)], 1, "failure"),
        ([sent("a").acknowledged(1), absent("stored.jsonl")], 2, "error"),
    ],
)
def test_saved_run_is_told_to_ci_as_it_is_judged(
    parts: list[Any], code: int, result: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of([*parts, asks(NoLoss())], tmp_path)
    assert check(run.path, Outputs(tmp_path / "x.json", tmp_path / "junit.xml", github=True)) == code
    assert valid((tmp_path / "x.json").read_bytes())["exit_code"] == code
    (case,) = [each for each in ET.parse(tmp_path / "junit.xml").iter("testcase") if each.get("name") == "no_loss"]
    assert [child.tag for child in case] == ([result] if result else [])
    assert ("::error title=literal%3A no_loss" in capsys.readouterr().out) == (code != 0)


def test_verdict_that_the_disk_refuses_is_printed_and_in_the_files_and_no_page_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of([sent("a").acknowledged(1), asks(NoLoss())], tmp_path / "run")
    (run.path / rundir.VERDICT).mkdir()
    with pytest.raises(RunDirError, match=re.escape(rundir.VERDICT)):
        check(run.path, Outputs(tmp_path / "x.json", tmp_path / "junit.xml"))
    assert valid((tmp_path / "x.json").read_bytes())["verdict"] == "failed"
    assert "<failure" in (tmp_path / "junit.xml").read_text()
    with pytest.raises(RunDirError):
        judging.judge_and_print(run, lambda _: None, page=True)
    told = capsys.readouterr().out
    assert told.count("verdict: FAILED") >= 2
    assert "report.html" not in told


@pytest.mark.parametrize("outlets", [Outputs(json=Path("x")), Outputs(junit=Path("x"))])
@pytest.mark.parametrize("name", [".", "file/x"])
def test_file_that_cannot_be_is_bad_input(outlets: Outputs, name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    there = tmp_path / name
    moved = dataclasses.replace(outlets, json=there) if outlets.json else dataclasses.replace(outlets, junit=there)
    with pytest.raises(InputError, match=re.escape(str(tmp_path))):
        moved.prepare()


def test_file_is_not_put_in_place_of_a_pipe_or_into_a_folder_that_takes_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/proc/results.json")):
        with pytest.raises(InputError, match=re.escape(str(path))):
            Outputs(json=path).prepare()
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(
    "wrong",
    [["--jobs", "2", "--on", "tcp://127.0.0.1:1"], ["--budget", "nonsense=3"], ["--profile", "nonsense"], ["no_such"]],
)
def test_run_that_is_never_played_leaves_no_earlier_file_to_pass_for_its_own(
    wrong: list[str], tmp_path: Path, typed: Typed
) -> None:
    files = [tmp_path / "junit.xml", tmp_path / "results.json"]
    for file in files:
        file.write_text("green")
    done = typed("run", "calm", *wrong, "--junit", files[0], "--json", files[1], "--runs", tmp_path / "runs")
    assert done.returncode == 254
    assert [file.exists() for file in files] == [False, False]


def test_bug_of_ours_leaves_its_word_in_the_files(tmp_path: Path) -> None:
    def buggy(order: Order) -> RunDir:
        raise ZeroDivisionError("of ours")

    options = Options(runs=tmp_path / "runs")
    with pytest.raises(ZeroDivisionError):
        playing.one(order("calm", options), Outputs(json=tmp_path / "x.json"), buggy)
    told = valid((tmp_path / "x.json").read_bytes())
    assert (told["verdict"], told["exit_code"]) == ("error", 255)
    assert "a bug in shaketable: ZeroDivisionError" in told["runs"][0]["why"]


def test_interruption_between_two_runs_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def passing(order: Order, trial: int, _: object) -> Result:
        if trial == 2:
            raise KeyboardInterrupt
        return played("passed", order.scenario.name, trial=trial)

    monkeypatch.setattr(playing, "_result", passing)
    options = Options(runs=tmp_path / "runs")
    orders = [order(name, options) for name in ("calm", "calm", "calm", "poison")]
    with pytest.raises(KeyboardInterrupt):
        playing.many(orders, Outputs(tmp_path / "x.json", tmp_path / "junit.xml"))
    told = valid((tmp_path / "x.json").read_bytes())
    assert (told["verdict"], told["exit_code"]) == ("interrupted", 255)
    assert [(run["scenario"], run["trial"], run["verdict"]) for run in told["runs"]] == [
        ("calm", 1, "passed"),
        ("calm", 2, "interrupted"),
        ("calm", 3, "interrupted"),
        ("poison", 1, "interrupted"),
    ]
    assert ET.parse(tmp_path / "junit.xml").getroot().get("errors") == "3"


def test_file_that_cannot_be_is_told_before_anything_is_played(tmp_path: Path, typed: Typed) -> None:
    done = typed("run", "calm", "--junit", tmp_path, "--runs", tmp_path / "runs")
    assert done.returncode == 254
    assert str(tmp_path) in sentence(done)
    assert not (tmp_path / "runs").exists()
