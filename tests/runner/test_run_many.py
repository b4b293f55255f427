"""Several scenarios in one command: each is played whatever becomes of the others, one table tells of all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from shaketable.results.result import Results
from shaketable.runner import scenario, selection
from tests.cli.test_cli import SCENARIO, sentence
from tests.conftest import Typed
from tests.runner.test_phases import end, left_of, output_until, run_id, start

#: A fault that the harness cannot put in.
BROKEN = SCENARIO.replace(
    "SCENARIO = ",
    """
from shaketable.errors import HarnessError

class Broken(Down):
    def inject(self, context):
        raise HarnessError("this fault cannot be put in")

SCENARIO = """,
).replace('Down("postgres")', 'Broken("postgres")')


@pytest.fixture
def scenarios(tmp_path: Path) -> list[Path]:
    texts = {
        "broken": BROKEN,
        "aimless": SCENARIO.replace('Down("postgres")', 'Down("postgres", process="nobody")'),
        "short": SCENARIO,
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    return [tmp_path / f"{name}.py" for name in texts]


@pytest.mark.nightly
def test_one_that_cannot_be_played_keeps_no_other_from_it(scenarios: list[Path], tmp_path: Path, typed: Typed) -> None:
    done = typed("run", *scenarios, "--runs", tmp_path / "runs", "--json", tmp_path / "rows.json")
    assert done.returncode == 255
    results = msgspec.json.decode((tmp_path / "rows.json").read_bytes(), type=Results)
    assert (results.verdict, results.exit_code) == ("error", 255)
    runs = results.runs
    assert [(run.scenario, run.verdict, run.exit_code) for run in runs] == [
        ("broken", "error", 255),
        ("aimless", "error", 254),
        ("short", "passed", 0),
    ]
    assert "broken: this fault cannot be put in" in done.stdout
    assert [Path(run.run).exists() for run in runs] == [True] * 3
    short = runs[2]
    assert short.checks["no_loss"].counts["lost"] == 0
    assert short.figures["acknowledged"] == short.figures["stored"]
    assert [(fault.figure, fault.unit) for fault in short.faults] == [(3, "of 3 links hit")]
    assert done.stdout.splitlines()[-1].endswith("2 error, 1 passed")


@pytest.mark.slow
@pytest.mark.nightly
def test_interruption_shows_the_table_so_far_and_plays_no_more(tmp_path: Path) -> None:
    harness = start(tmp_path / "runs", "calm")
    output_until(harness, "FAULT")
    run = run_id(tmp_path / "runs")
    os.kill(harness.pid, signal.SIGINT)
    said = end(harness)
    assert harness.returncode == 255
    assert "short_outage  INTERRUPTED" in said
    assert "calm" not in said
    assert left_of(run) == []


def test_name_that_nobody_knows_is_said_before_anything_is_played(tmp_path: Path, typed: Typed) -> None:
    done = typed("run", "calm", "no_such", "--runs", tmp_path / "runs")
    assert "no_such" in sentence(done)
    assert done.returncode == 254
    assert not (tmp_path / "runs").exists()


def test_all_leaves_the_nightly_ones_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "zz_daily.py").write_text(SCENARIO)
    (tmp_path / "scenarios" / "zz_long.py").write_text(SCENARIO.replace('story="', 'nightly=True, story="'))
    monkeypatch.chdir(tmp_path)
    assert {"zz_daily", "calm"} <= set(selection.names([], nightly=False))
    assert "zz_long" not in selection.names([], nightly=False)
    assert "zz_long" in selection.names([], nightly=True)
    assert selection.names(["zz_long", "calm"], nightly=False)[:2] == ["zz_long", "calm"]
    assert len(set(selection.names(["calm"], nightly=False))) == len(selection.names(["calm"], nightly=False))


#: Seconds of load that leave room in a minute for set-up, drain and judging.
A_MINUTE = 45


@pytest.mark.parametrize("name", selection.names([], nightly=False))
def test_scenario_that_is_not_nightly_takes_a_minute(name: str) -> None:
    load = scenario.load(name).load
    assert load.baseline_s + load.shake_s + load.recover_s <= A_MINUTE


@pytest.mark.slow
def test_closed_pipe_is_no_verdict() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "shaketable.cli", "list"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.returncode not in (0, 1, 2)
