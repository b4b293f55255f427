import csv
import io
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from shaketable import rundir
from shaketable.checks.check import Finding, Verdict
from shaketable.cli.tables.delivery import report
from shaketable.cli.tables.script import Report
from shaketable.report.tables import frames
from tests.support.book import Part
from tests.support.histories import absent, dead, history, run_of, sent, stored, unsent

SCRIPT = Path(__file__).parents[2] / "reports" / "delivery.py"
RESENT = sent("a").acknowledged(1).again(2).acknowledged(3)
ORDERED = sent("o", at=5, ordered=True).acknowledged(6)
SANE = (RESENT, ORDERED, stored("a", 2), stored("o", 7))


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


#: Runs the script with these arguments.
Script = Callable[..., Done]


def test_every_event_is_counted_in_its_class() -> None:
    table = frames.delivery(
        history(
            *SANE,
            sent("t", twin_of="a").acknowledged(1),
            sent("m", expect="refuse").refused(1),
            sent("e", expect="either"),
            unsent("u"),
            dead("t"),
            stored("a"),
            stored("x"),
            sent("l").acknowledged(1),
        )
    )
    assert table.scheduled.to_dict() == {
        "independent": 3,
        "ordered": 1,
        "twin": 1,
        "malformed": 1,
        "either way": 1,
        "never planned": 0,
        "all": 7,
    }
    assert list(table.loc["independent", ["doubled", "missing", "unsent"]]) == [1, 1, 1]
    assert table.loc["twin", "dead"] == 1
    assert list(table.loc["never planned", ["stored", "invented"]]) == [1, 1]
    assert list(table.loc["all", ["acknowledged", "indeterminate", "refused"]]) == [4, 1, 1]


def test_rates_are_told_by_phase() -> None:
    table = frames.rates(history(*SANE))
    assert table.loc["baseline", "seconds"] == 10
    assert table.loc["baseline", "meant/s"] == 0.2
    assert table.loc["baseline", "stored/s"] == 0.2


def test_report_fits_a_hundred_columns() -> None:
    text = report(history(*SANE)).text
    assert max(map(len, text.splitlines())) <= 100
    assert "never planned" in text


def test_run_without_a_schedule_is_unknown() -> None:
    assert report(history(absent("schedule.jsonl"))).verdict is Verdict.UNKNOWN


def test_what_was_not_observed_has_no_column() -> None:
    assert "stored" not in frames.delivery(history(RESENT, absent("stored.jsonl")))


@pytest.mark.parametrize(
    ("parts", "code"), [(SANE, 0), ((*SANE, stored("x")), 1), ((RESENT,), 1), ((sent("a").refused(1),), 2)]
)
def test_script_exits_with_the_verdict(parts: tuple[Part, ...], code: int, tmp_path: Path, script: Script) -> None:
    assert script(str(run_of(parts, tmp_path).path)).code == code


def test_several_runs_are_told_one_after_another_and_the_worst_decides(two: list[str], script: Script) -> None:
    done = script(*two)
    assert done.code == 1
    assert [line for line in done.out.splitlines() if line in ("passed", "failed")] == ["passed", "failed"]
    assert all(f"{run}:" in done.out for run in two)
    assert done.out.endswith("worst: failed\n")


def test_json_holds_every_table(two: list[str], script: Script) -> None:
    done = script(*two, "--format", "json")
    doc = json.loads(done.out)
    assert (done.code, doc["verdict"], [run["verdict"] for run in doc["runs"]]) == (1, "failed", ["passed", "failed"])
    strangers = doc["runs"][1]["tables"]["events"][-2]
    assert (strangers["row"], strangers["invented"]) == ("never planned", 1)


def test_csv_holds_every_table(two: list[str], script: Script) -> None:
    rows = list(csv.DictReader(io.StringIO(script(*two, "--format", "csv").out)))
    assert {row["table"] for row in rows} == {"events", "rates", "laws", "verdict"}
    assert [(row["run"], row["verdict"]) for row in rows if row["table"] == "verdict"] == [
        (two[0], "passed"),
        (two[1], "failed"),
    ]


def test_markdown_has_a_section_for_each_run(two: list[str], script: Script) -> None:
    told = script(*two, "--format", "md").out
    assert re.findall(r"^## (\w+)|Verdict: \*\*(\w+)", told, re.M) == [
        ("good", ""),
        ("", "passed"),
        ("bad", ""),
        ("", "failed"),
    ]


def test_damaged_run_is_bad_input_and_no_bug(tmp_path: Path, script: Script) -> None:
    run = run_of(SANE, tmp_path)
    odd = {"process": "probe", "kind": "clock", "invoked_at": 1, "ended_at": 1, "detail": {"wall": "noon"}}
    rundir.write_lines(run / rundir.PROBES, [odd])
    done = script(str(run.path))
    assert (done.code, done.out) == (254, "")
    assert "bug in shaketable, not" not in done.err


def test_counts_of_a_law_have_all_their_digits() -> None:
    found = Finding(Verdict.PASSED, {"judged": 2_000_290})
    assert "2,000,290 judged" in Report(Verdict.PASSED, findings={"no_loss": found}).text


def test_script_exits_254_for_bad_input(tmp_path: Path, script: Script) -> None:
    run = run_of(SANE, tmp_path)
    for arguments in ([str(tmp_path / "none")], ["a", "b"], ["--odd"], [str(run.path), "--format", "xml"]):
        done = script(*arguments)
        assert (done.code, done.out) == (254, ""), arguments
        assert "Traceback" not in done.err
    (run / "target.json").write_text("{")
    assert script(str(run.path)).code == 254


@pytest.mark.slow
def test_script_runs_by_itself() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, "RUN_DIR" in done.stdout) == (0, True)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Script:
    """Runs the script in this process: pandas takes a second to import."""
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return Done(cast(int, ended.value.code), *capsys.readouterr())

    return run


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    """A run that passes and one that does not."""
    runs = {"good": SANE, "bad": (*SANE, stored("x"))}
    for name in runs:
        (tmp_path / name).mkdir()
    return [str(run_of(parts, tmp_path / name).path) for name, parts in runs.items()]
