"""Profiles, and how often what is asked for is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import InputError
from shaketable.runner import profile, scenario, selection
from shaketable.runner.order import Options, order
from tests.seeded_bugs.catalogue import BUGS, shipped
from tools import bug_table

DOCS = Path(__file__).parents[2] / "docs" / "ci.md"
#: Seconds that a run takes beside its load: set-up, drain, judging, the page.
BESIDE = 16


def minutes(name: str) -> float:
    loads = [(scenario.load(each).load, often) for each, often in selection.times([], profile=name)]
    return sum(often * (load.baseline_s + load.shake_s + load.recover_s + BESIDE) for load, often in loads) / 60


def test_quick_takes_about_five_minutes_and_nightly_about_an_hour() -> None:
    assert 3 < minutes("quick") < 6
    assert 30 < minutes("nightly") < 65


def test_quick_asks_for_every_check_that_a_seeded_bug_is_caught_by_but_memory() -> None:
    quick = {check.name for name in profile.find("quick").trials for check in scenario.load(name).checks}
    assert {bug.caught_by for bug in BUGS.values()} - quick == {"memory_bounded"}  # which takes longer


def test_quick_reveals_four_in_five_of_the_seeded_bugs_and_the_docs_say_how_many() -> None:
    revealed = bug_table.revealed("`quick`")
    assert 5 * len(revealed) >= 4 * len(BUGS)
    assert f"`quick` reveals {len(revealed)} of the {len(BUGS)} [seeded bugs]" in DOCS.read_text()


def test_each_scenario_of_quick_reveals_a_seeded_bug_but_the_acceptance_test() -> None:
    shown_by = {shipped(bug) for bug in BUGS.values()}
    assert set(profile.find("quick").trials) - shown_by == {"outage_of_fifty"}


def test_nightly_plays_all_there_are_and_several_trials_of_the_quick_ones() -> None:
    found = dict(selection.times([], profile="nightly"))
    assert set(found) == set(scenario.names())
    assert {name for name, often in found.items() if often > 1} == set(profile.find("quick").trials)
    assert min(found[name] for name in profile.find("quick").trials) >= 3  # figures are compared from three on


def test_what_is_named_comes_first_and_trials_hold_for_all() -> None:
    assert selection.times(["burst", "poison"], profile="quick")[:3] == [("burst", 1), ("poison", 1), ("calm", 1)]
    assert dict(selection.times(["burst"], profile="quick", trials=4)) == dict.fromkeys(
        [*profile.find("quick").trials, "burst"], 4
    )
    assert selection.times(["calm", "burst", "calm"]) == [("calm", 2), ("burst", 1)]
    assert selection.times([], trials=2) == []


def test_wrong_profile_names_those_there_are() -> None:
    with pytest.raises(InputError, match="quick, nightly: got 'weekly'"):
        profile.find("weekly")


def test_trials_differ_by_their_seeds() -> None:
    assert [order("storm", Options(seed=7), nth).scenario.seed for nth in range(3)] == [7, 8, 9]
    first, second = (order("storm", Options(), nth).scenario for nth in range(2))
    assert first.timeline != second.timeline


def test_trials_of_a_replay_are_refused(tmp_path: Path) -> None:
    (tmp_path / "scenario.json").write_text('{"name": "other"}')
    with pytest.raises(InputError):
        order("calm", Options(replay=tmp_path), 1)
