"""Shares of an exploration: each trial is in one of them, and their outcomes become one."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shaketable import faults, rundir
from shaketable.errors import InputError
from shaketable.explore import found, saved, share
from shaketable.explore.found import Found
from shaketable.explore.lanes import TRIALS
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.saved import Position
from shaketable.explore.share import TrialShare
from shaketable.explore.spread import SharedExploration
from shaketable.explore.trial import digest
from tests.explore.scenarios import MANIFEST, Oracle, drawn, holds, trial
from tests.explore.test_search import search


def merged(out: Path) -> SharedExploration:
    out.mkdir(exist_ok=True)
    return SharedExploration(MANIFEST, out, ExplorationProgress(0, 60, io.StringIO()), Position(1))


def outcome_of(folder: Path, position: Position, *ones: Found) -> share.ShareOutcome:
    """What is read of a share that found these, whose files it writes."""
    made = merged(folder)
    for one in ones:
        path = found.write(folder, one.check, one.scenario, MANIFEST.name, one.sentence) if one.failed else None
        run = rundir.create(folder / TRIALS, "explore", MANIFEST.name).path
        made.found.append(replace(one, file=path, run=run))
    share.write(made, position)
    told = share.read(folder)
    assert told is not None
    return told


@pytest.mark.parametrize("first", [0, 7])
def test_each_trial_is_in_one_share_with_the_seed_of_the_whole(tmp_path: Path, first: int) -> None:
    for number in range(3):
        oracle, begin = Oracle(lambda s: False), first + number
        search(oracle, tmp_path / str(number), most_trials=18, share=TrialShare(number, 3, first))
        wanted = [digest(drawn(1).trial(n)) for n in range(begin, begin + 18, 3)]
        assert sorted(map(digest, oracle.played)) == sorted(wanted)


@pytest.mark.parametrize("word", ["", "one/2/0", "1/2", "2/2/0", "-1/2/0", "0/0/0", "0/2/-1"])
def test_a_word_that_is_no_share_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="NUMBER/OF/FIRST"):
        TrialShare.parse(word)


def test_a_share_survives_its_word() -> None:
    assert TrialShare.parse(TrialShare(1, 3, 40).word) == TrialShare(1, 3, 40)


def test_what_two_shares_found_is_told_once_with_its_file_and_run(tmp_path: Path) -> None:
    kill, down = (
        Found("no_loss", trial(fault), 6, 6, "lost") for fault in (faults.Kill("worker-1"), faults.Down("redis"))
    )
    both = replace(kill, scenario=trial(faults.Kill("worker-1"), faults.Down("postgres")))
    other = replace(both, check="order_kept")
    made = merged(tmp_path / "out")
    for name, ones in {"a": (kill,), "b": (both, down, other)}.items():
        made.add(outcome_of(tmp_path / name, Position(1, 9), *ones), tmp_path / name)
    assert [one.check for one in made.found] == ["no_loss", "no_loss", "order_kept"]
    assert [digest(one.scenario) for one in made.found] == [digest(one.scenario) for one in (kill, down, other)]
    assert {digest(s) for s in found.earlier(made.out)} == {digest(one.scenario) for one in made.found}
    assert all(one.run and one.run.parent == (made.out / TRIALS).resolve() for one in made.found)


def test_totals_are_summed_and_the_next_exploration_goes_on_at_the_first_trial_that_is_missing(tmp_path: Path) -> None:
    made = merged(tmp_path / "out")
    made.add(outcome_of(tmp_path / "a", Position(1, 12, trials=6, failed=1, unknown=2)), tmp_path / "a")
    made.add(outcome_of(tmp_path / "b", Position(1, 9, trials=4)), tmp_path / "b")
    totals = made.progress.totals
    made.save()
    assert (totals.trials, totals.failed, totals.unknown) == (10, 1, 2)
    assert Position(1, 9, 10, 1, 2) == saved.read(made.out, MANIFEST.name)


def test_an_unconfirmed_finding_comes_without_a_file(tmp_path: Path) -> None:
    made = merged(tmp_path / "out")
    made.add(
        outcome_of(tmp_path / "a", Position(1), Found("no_loss", trial(faults.Kill("worker-1")), 0, 6)), tmp_path / "a"
    )
    [one] = made.found
    assert (one.failed, one.of, one.file, holds(one.scenario, "kill")) == (0, 6, None, True)


def test_exploration_by_one_process_needs_no_cluster() -> None:
    missing = "import sys; sys.modules.update(dict.fromkeys(['cryptography', 'distributed', 'fsspec']))"
    code = f"{missing}; from shaketable.explore import command"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
