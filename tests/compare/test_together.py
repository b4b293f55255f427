"""Scenarios that not all targets were tried under, and comparisons in several folders."""

from __future__ import annotations

from pathlib import Path

from shaketable.compare import forms, run_index
from shaketable.compare.comparison import Comparison, ComparisonRequest
from tests.support.comparisons import kept, losing, played, read


def test_brief_table_holds_only_scenarios_that_the_same_targets_were_tried_under(tmp_path: Path) -> None:
    held = Comparison(tmp_path)
    held.begin(ComparisonRequest(1, ["a", "b"], ["calm"], [1]))
    held.begin(ComparisonRequest(1, ["b"], ["calm@12"], [1]))
    played(held, "a", *losing(0))
    played(held, "b", *losing(2), scenario="calm")
    played(held, "b", *losing(0), scenario="calm@12")
    wide, of_its_own = forms.brief(read(held)).split("\n\n")
    assert [row.split(" | ")[0] for row in wide.splitlines()[2:]] == ["| a", "| b"]
    assert (of_its_own.splitlines()[0], of_its_own.splitlines()[-1]) == (
        "| lost / doubled | calm@12 |",
        "| b | 0 / unknown |",
    )


def test_comparisons_in_several_folders_have_commands_for_all_their_cells(tmp_path: Path) -> None:
    held = kept(tmp_path / "compare", ["a", "b"])
    other = kept(tmp_path / "other", ["rq-hardened"])
    played(held, "a", *losing(0))
    played(other, "rq-hardened", *losing(0))
    played(other, "reference", *losing(0), scenario="worker_killed")  # asked for by nobody: found
    found = run_index.read([held.path, other.path])
    assert found.commands == [
        "shaketable compare rq-hardened a b --scenarios calm --trials 1 --seed 1",
        "shaketable compare reference --scenarios worker_killed --trials 1 --seed 1",
    ]
    assert found.targets == ["rq-hardened", "a", "b", "reference"]
