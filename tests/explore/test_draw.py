"""The draw: the same for a seed, complete before it repeats, and always playable."""

from __future__ import annotations

from itertools import combinations

import pytest

from shaketable.explore import catalogue, draw
from shaketable.explore.catalogue import Library
from shaketable.faults import FAULTS
from shaketable.runner import playable
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest, Process
from shaketable.target.source_tables import Stored
from tests.explore.scenarios import MANIFEST, drawn

OPTIONS = catalogue.of(MANIFEST)


def test_same_seed_draws_the_same_trials_and_another_draws_others() -> None:
    one, same, other = ([drawn(seed).trial(n) for n in range(120)] for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_first_trial_has_no_fault_and_then_each_option_comes_alone() -> None:
    trials = [drawn(3).trial(n) for n in range(len(OPTIONS) + 1)]
    assert trials[0].timeline == ()
    alone = [at.fault for trial in trials[1:] for at in trial.timeline]
    assert sorted(map(repr, alone)) == sorted(repr(option.fault) for option in OPTIONS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_trial_can_be_played_and_lasts_as_long_as_its_witnesses_need(seed: int) -> None:
    least = {repr(option.fault): option.least_s for option in OPTIONS}
    for number in range(300):
        trial = drawn(seed).trial(number)
        playable.check(trial, MANIFEST)
        for at in trial.timeline:
            assert at.until_s - at.at_s >= least[repr(at.fault)] - 0.05
            assert at.until_s <= draw.SHAKE_S


def test_faults_on_one_thing_never_overlap_and_others_do() -> None:
    things = {repr(option.fault): option.things for option in OPTIONS}
    overlaps = 0
    for number in range(300):
        for one, other in combinations(drawn(1).trial(number).timeline, 2):
            if one.at_s < other.until_s and other.at_s < one.until_s:
                overlaps += 1
                assert not things[repr(one.fault)] & things[repr(other.fault)]
    assert overlaps > 50


def test_singles_pairs_and_up_to_four_faults_are_drawn() -> None:
    counts = {len(drawn(1).trial(n).timeline) for n in range(300)}
    assert counts == {0, 1, 2, 3, 4}


def test_options_that_find_nothing_to_break_are_left_out() -> None:
    alone = Manifest(1, "alone", Ingest("all"), (Process("all", ("true",)),), Stored("select"))
    kinds = {(option.fault.kind, getattr(option.fault, "process", None)) for option in catalogue.of(alone)}
    assert ("kill", "intake") in kinds
    assert ("kill", "worker-1") not in kinds


def test_kinds_can_be_chosen() -> None:
    assert {option.fault.kind for option in catalogue.of(MANIFEST, frozenset({"pause"}))} == {"pause"}


def test_every_kind_is_either_drawn_or_left_out() -> None:
    drawn_kinds = [option.fault.kind for option in catalogue.CATALOGUE]
    assert sorted({*drawn_kinds, *catalogue.LEFT_OUT}) == sorted(FAULTS.kinds())
    assert not set(catalogue.LEFT_OUT) & set(drawn_kinds)


@pytest.mark.parametrize(("library", "kinds"), [("disk", {"power_loss", "disk_full"}), ("clock", {"clock_step"})])
def test_faults_whose_library_is_missing_are_not_drawn(library: Library, kinds: set[str]) -> None:
    left = {option.fault.kind for option in catalogue.of(MANIFEST, libraries=catalogue.LIBRARIES - {library})}
    assert kinds <= {option.fault.kind for option in OPTIONS}
    assert not kinds & left
    assert "kill" in left
