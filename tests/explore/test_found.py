"""A found scenario: its file holds what was found, and its sentence says it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shaketable import faults
from shaketable.errors import ScenarioError
from shaketable.explore import found
from shaketable.explore.found import Found
from shaketable.explore.trial import digest
from shaketable.faults.fault import Fault
from shaketable.runner import scenario as scenarios
from tests.explore.scenarios import drawn, trial


@pytest.mark.parametrize("number", [0, 1, 7, 40, 150, 151, 152])
def test_file_holds_the_scenario_that_was_found(number: int, tmp_path: Path) -> None:
    one = drawn(5).trial(number)
    path = found.write(tmp_path, "no_loss", one, "mine", "no_loss fails")
    read = scenarios.load(str(path))
    assert (read.timeline, read.load, read.mix, read.checks) == (one.timeline, one.load, one.mix, one.checks)
    assert (dict(read.settings), dict(read.counts), read.seed) == (dict(one.settings), dict(one.counts), one.seed)
    assert path.stem == read.name == f"found_no_loss_{digest(one)}"


def test_settings_of_the_servers_are_part_of_a_finding(tmp_path: Path) -> None:
    one = trial(faults.PowerLoss("redis"))
    unsafe = replace(one, servers={"redis": {"appendfsync": "everysec"}})
    path = found.write(tmp_path, "no_loss", unsafe, "mine", "no_loss fails")
    assert scenarios.load(str(path)).servers == {"redis": {"appendfsync": "everysec"}}
    assert digest(one) != digest(unsafe)


def test_earlier_findings_are_read_from_their_folder(tmp_path: Path) -> None:
    one = trial(faults.Kill("worker-1"))
    found.write(tmp_path, "no_loss", one, "mine", "no_loss fails")
    (tmp_path / "other.py").write_text("raise SystemExit")
    assert [digest(each) for each in found.earlier(tmp_path)] == [digest(one)]
    assert found.earlier(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((faults.Pause("worker-1"),), "no_loss fails with worker-1 frozen for 1.3 s: 4 of 6"),
        ((), "no_loss fails without any fault: 4 of 6"),
    ],
)
def test_sentence_says_the_check_the_faults_and_how_often(given: tuple[Fault, ...], sentence: str) -> None:
    assert Found("no_loss", trial(*given, lasts_s=1.3), 4, 6).sentence == sentence


def test_digest_is_the_same_for_another_seed_and_differs_for_another_time() -> None:
    one, later = trial(faults.Kill("worker-1")), trial(faults.Kill("worker-1"), at_s=1.1)
    assert digest(one) == digest(replace(one, seed=9))
    assert digest(one) == digest(replace(one, counts={"worker": 3}, load=replace(one.load, rate=200)))
    assert digest(one) != digest(later)


OF_A_SCRIPT = """
from dataclasses import dataclass
from typing import ClassVar
from shaketable import At, Load, Scenario, checks, faults

@dataclass(frozen=True)
class OfAScript(faults.Kill):
    kind: ClassVar[str] = "of_a_script"

SCENARIO = Scenario("One of our own.", Load(10, 1, 5, 1), (At(1, 3, OfAScript("worker-1")),), (checks.NoLoss(),))
"""


def test_fault_that_a_file_cannot_import_is_refused_before_anything_is_played(own_kinds: None, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(OF_A_SCRIPT)
    with pytest.raises(ScenarioError, match="OfAScript"):
        found.write(tmp_path, "no_loss", scenarios.load(str(script)), "mine", "no_loss fails")
    assert found.earlier(tmp_path) == []


def test_name_has_the_check() -> None:
    name = found.name("dead_letters_explained", drawn(5).trial(3))
    assert found.check_of(name) == "dead_letters_explained"
