"""The proof of the checks: what it says of nothing, and how clean runs are continued."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shaketable.checks.check import Verdict
from shaketable.checks.verdict import Judged, VerdictDoc
from shaketable.runner import profile
from tools import clean_runs
from tools.clean_runs import Clean
from tools.prove import main


def test_nothing_that_was_run_proves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "not" / "there"
    assert main(["--bugs", "--clean", "0", "--out", str(out)]) == 2
    assert json.loads((out / "prove.json").read_text())["bugs"] == []


def test_later_call_plays_only_the_seeds_that_the_file_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = []

    def shake(name: str, *_: object, seed: int) -> tuple[int, VerdictDoc]:
        played.append((name, seed))
        verdict = Verdict.UNKNOWN if seed == 3 else Verdict.PASSED
        return 0, VerdictDoc(1, verdict, {"no_loss": Judged(verdict, why="late", required=True)}, [], {}, ["busy"])

    monkeypatch.setattr(clean_runs, "shake", shake)
    file, out = tmp_path / "clean.jsonl", tmp_path / "out"
    with ThreadPoolExecutor(2) as pool:
        clean_runs.play(["calm", "poison"], 1, pool, out, file, [])
        assert sorted(played) == [("calm", 1), ("poison", 1)]
        found = clean_runs.play(["calm"], 3, pool, out, file, [])
    assert sorted(played[2:]) == [("calm", 2), ("calm", 3)]
    assert [(one.scenario, one.seed) for one in found if one.verdict == "unknown"] == [("calm", 3)]
    assert [one.blamed for one in found if one.verdict == "unknown"] == [{"no_loss": "late", "the run": "busy"}]
    assert [folder.name for folder in out.iterdir()] == ["clean-calm-3"]


def test_table_counts_by_scenario_and_gives_each_reason() -> None:
    runs = [Clean("calm", "passed", {}), Clean("calm", "unknown", {"the run": "busy"}, seed=2), Clean("x", "none", {})]
    lines = [line.split() for line in clean_runs.table(runs)]
    assert lines[1:4] == [["calm", "1", "1", "0"], ["x", "0", "1", "0"], ["in", "all", "1", "2", "0"]]
    assert "busy" in lines[5]
    assert all("none in 1 clean run" not in line for line in clean_runs.table([*runs, Clean("calm", "failed", {})]))


def test_clean_runs_are_of_the_scenarios_that_show_the_bugs_of_quick_or_of_all() -> None:
    assert clean_runs.scenarios("bugs", ["no_fence", "partition_race"]) == ["cold_start", "slow_worker_frozen"]
    assert clean_runs.scenarios("quick", []) == list(profile.find("quick").trials)
    assert {*clean_runs.scenarios("quick", [])} < {*clean_runs.scenarios("all", [])}
