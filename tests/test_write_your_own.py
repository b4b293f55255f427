"""The guides are followed to the letter: their blocks are files that load, run, and end as the guide says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shaketable.faults import FAULTS
from shaketable.report.page import spans
from shaketable.report.page.recording import Recording
from shaketable.rundir import RunDir
from shaketable.runner import scenario
from tests.conftest import Typed
from tests.support.busy import too_busy
from tests.support.cases import cases

DOCS = Path(__file__).parents[1] / "docs"
#: Each complete file that a guide shows: page, number of its block, exit code of its run.
SHOWN = [
    ("write-your-own.md", 0, 0),
    ("creating-a-fault.md", 0, 2),
    ("creating-a-fault.md", 1, 0),
    ("creating-a-check.md", 0, 2),
    ("creating-a-check.md", 1, 0),
]
#: The others are loaded for each change, and run every night.
EACH_CHANGE = [("creating-a-fault.md", 1, 0)]


def block(page: str, number: int) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.S)
    return blocks[number]


def saved(page: str, number: int, folder: Path) -> Path:
    path = folder / f"{page.removesuffix('.md').replace('-', '_')}_{number}.py"
    path.write_text(block(page, number))
    return path


@pytest.mark.parametrize(("page", "number", "_code"), SHOWN)
def test_block_is_a_scenario_whose_kinds_are_known_by_name(page: str, number: int, _code: int, tmp_path: Path) -> None:
    found = scenario.load(str(saved(page, number, tmp_path)))
    assert found.checks
    for entry in found.timeline:
        assert entry.fault.label in str(found.to_json())
        assert FAULTS.from_spec(FAULTS.to_spec(entry.fault)) == entry.fault


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(("page", "number", "code"), cases(SHOWN, each_change=EACH_CHANGE))
def test_block_runs_and_ends_as_the_guide_says(page: str, number: int, code: int, tmp_path: Path, typed: Typed) -> None:
    done = typed("run", saved(page, number, tmp_path), "--runs", tmp_path / "runs")
    ends = (code, 2) if too_busy(tmp_path / "runs" / "latest") else (code,)
    assert done.returncode in ends, done.stdout + done.stderr
    if (page, code) == ("creating-a-fault.md", 0):
        fault_landed_and_has_its_band(tmp_path / "runs" / "latest")


def fault_landed_and_has_its_band(run: Path) -> None:
    (fault,) = msgspec.json.decode((run / "verdict.json").read_bytes())["faults"]
    assert (fault["label"], fault["landed"], fault["unit"]) == ("postgres 160 ms away", True, "ms added")
    (band,) = spans.faults(Recording.load(RunDir(run)), end=60)
    assert band.end - band.begin == pytest.approx(4, abs=1.5)
    assert band.colour == "#2471a3"
    assert "#2471a3" in (run / "report.html").read_text()


def test_tests_of_the_check_guide_pass() -> None:
    names: dict[str, Any] = {"__name__": __name__}  # a dataclass looks its module up
    for number in (1, 2):
        exec(compile(block("creating-a-check.md", number), "creating-a-check.md", "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 3
    for each in tests:
        each()
