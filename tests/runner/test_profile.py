"""Profiles, and how often what is asked for is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import InputError
from shaketable.runner import profile, scenario, selection
from shaketable.runner.order import Options, order
from tests.seeded_bugs.catalogue import BUGS

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


#: The scenario of `quick` that breaks the same thing as one that shows seeded bugs, for longer.
LIKE = {
    "outage": "postgres_outage",
    "short_outage": "postgres_outage",
    "short_calm": "calm",
    "few_poison": "poison",
    "worker_frozen": "worker_frozen",
    "intake_killed": "ingest_killed",
    "commit_replies_lost": "commit_replies_lost",
}


def test_quick_breaks_what_shows_most_of_the_seeded_bugs() -> None:
    assert set(LIKE.values()) == set(profile.find("quick").trials)
    playable = [bug for bug in BUGS.values() if bug.shown_by != "clock_jumps"]  # it needs the extra `clock`
    assert sum(bug.shown_by in LIKE for bug in playable) >= 0.7 * len(playable)


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
