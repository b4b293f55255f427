"""The table of explored bugs: a row for each finding, and one for a bug that was not found."""

from __future__ import annotations

from pathlib import Path

from shaketable import faults
from shaketable.explore.found import Found
from tests.explore.scenarios import trial
from tools.explore_matrix import ExploredBug, main, row, text


def test_row_has_the_trials_and_what_is_left() -> None:
    found = Found("no_loss", trial(faults.Kill("intake"), lasts_s=0.5), 6, 6, "", 4, 41.2, 9, 88.0)
    told = text([row("drops", 1, found), ExploredBug("hides", 1, 40, 300)]).splitlines()
    assert told[2] == "| `drops` | 1 | 4 | 41 | no_loss with intake killed for 0.5 s | 9 | 88 | 1 | 6 of 6 |"
    assert told[3].startswith("| `hides` | 1 | 40 | 300 | not found |")


def test_nothing_explored_is_no_failure(tmp_path: Path) -> None:
    assert main(["--bugs", "--out", str(tmp_path)]) == 0
