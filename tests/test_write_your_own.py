"""docs/write-your-own.md is followed to the letter: its blocks, in one file, are a scenario that runs."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from shaketable.faults import FAULTS
from shaketable.report.page import spans
from shaketable.report.page.recording import Recording
from shaketable.rundir import RunDir
from shaketable.runner import scenario
from tests.cli.test_cli import shaketable

PAGE = Path(__file__).parents[1] / "docs" / "write-your-own.md"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "faraway.py"
    path.write_text("\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)))
    return path


def test_the_page_makes_a_scenario_whose_fault_is_known_by_name(written: Path) -> None:
    found = scenario.load(str(written))
    (entry,) = found.timeline
    assert entry.fault.label in str(found.to_json())
    assert FAULTS.from_spec(FAULTS.to_spec(entry.fault)) == entry.fault


@pytest.mark.slow
def test_the_page_makes_a_run_that_passes_and_shows_its_own_fault(written: Path, tmp_path: Path) -> None:
    done = shaketable("run", written, "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stdout + done.stderr
    run = tmp_path / "runs" / "latest"
    (fault,) = msgspec.json.decode((run / "verdict.json").read_bytes())["faults"]
    assert (fault["label"], fault["landed"], fault["unit"]) == ("postgres far away", True, "of 3 links hit")
    (band,) = spans.faults(Recording.load(RunDir(run)), end=60)
    assert band.end - band.begin == pytest.approx(4, abs=1.5)
    assert band.colour == "#2471a3"
    assert "#2471a3" in (run / "report.html").read_text()
