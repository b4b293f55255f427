"""A storm is drawn from its seed alone; its gusts have time to be seen, and those that meet never overlap."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.errors import ScenarioError
from shaketable.faults import FAULTS, Down, Kill, Latency, Pause
from shaketable.faults.fault import Fault
from shaketable.faults.random_timeline import BETWEEN_S, CALM_S, LEAST_S, RandomTimeline, choice
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.rundir import RunDir
from shaketable.runner import scenario
from shaketable.runner.scenario import Scenario

STORM = RandomTimeline(
    (
        choice(Down("postgres"), "postgres"),
        choice(Latency("postgres", 200), "postgres"),
        choice(Down("redis"), "redis"),
        choice(Kill("worker-1"), "worker-1"),
        choice(Pause("worker-1"), "worker-1", least_s=4, most_s=6),
        choice(Kill("ingest"), "ingest"),
    )
)
SHAKE_S = 30.0
SEEDS = range(1, 201)


def on(fault: Fault) -> frozenset[str]:
    return next(one.on for one in STORM.choices if one.fault == fault)


def apart(one: At, other: At) -> float:
    """Seconds between them; negative where they overlap."""
    return max(one.at_s, other.at_s) - min(one.until_s, other.until_s)


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    assert STORM.timeline(7, SHAKE_S) == STORM.timeline(7, SHAKE_S)
    assert len({STORM.timeline(seed, SHAKE_S) for seed in SEEDS}) == len(SEEDS)


def test_every_gust_has_time_to_be_witnessed_and_ends_in_the_shake() -> None:
    for seed in SEEDS:
        for entry in STORM.timeline(seed, SHAKE_S):
            assert entry.until_s - entry.at_s >= LEAST_S - 0.11
            assert entry.at_s >= CALM_S
            assert entry.until_s <= SHAKE_S - CALM_S + 0.05


def test_gusts_on_the_same_thing_never_overlap_and_leave_a_calm_between() -> None:
    for seed in SEEDS:
        for one, other in combinations(STORM.timeline(seed, SHAKE_S), 2):
            if on(one.fault) & on(other.fault):
                assert apart(one, other) >= BETWEEN_S - 0.11


def test_gusts_do_overlap_but_no_more_than_allowed() -> None:
    most = [
        max(sum(e.at_s <= entry.at_s < e.until_s for e in timeline) for entry in timeline)
        for timeline in (STORM.timeline(seed, SHAKE_S) for seed in SEEDS)
    ]
    assert max(most) == 2
    assert sum(n == 2 for n in most) > len(SEEDS) / 2


def test_no_gust_comes_twice_before_each_has_come_once() -> None:
    for seed in SEEDS:
        faults = [entry.fault for entry in STORM.timeline(seed, SHAKE_S)]
        assert len(faults) >= 5
        assert len(set(faults[: len(STORM.choices)])) == min(len(faults), len(STORM.choices))


def test_what_it_opens_with_comes_first_and_is_drawn_too() -> None:
    openings = (choice(Down("postgres"), "postgres", least_s=4), choice(Kill("worker-1"), "worker-1"))
    storm = replace(STORM, opens_with=openings)
    first = [storm.timeline(seed, SHAKE_S)[0] for seed in SEEDS]
    assert {entry.fault for entry in first} == {one.fault for one in openings}
    assert all(entry.until_s - entry.at_s >= 3.9 for entry in first if entry.fault == Down("postgres"))


def test_what_it_opens_with_does_not_come_twice_before_each_has_come_once() -> None:
    storm = replace(STORM, opens_with=(choice(Down("postgres"), "postgres", least_s=4),))
    for seed in SEEDS:
        faults = [entry.fault for entry in storm.timeline(seed, SHAKE_S)]
        assert len(set(faults[: len(STORM.choices)])) == min(len(faults), len(STORM.choices))


def test_a_storm_that_cannot_be_is_refused() -> None:
    with pytest.raises(ScenarioError, match="got 0"):
        RandomTimeline(())
    with pytest.raises(ScenarioError, match="least_s"):
        choice(Down("redis"), "redis", least_s=1)


def test_a_scenario_draws_by_its_seed_and_keeps_a_timeline_that_is_given() -> None:
    asked = Scenario("a storm", Load(shake_s=SHAKE_S), random_timeline=STORM, seed=3)
    assert asked.timeline == ()
    assert asked.drawn().timeline == STORM.timeline(3, SHAKE_S)
    assert asked.drawn().drawn() == asked.drawn()
    assert [e["label"] for e in asked.drawn().to_json()["timeline"]] == [
        e.fault.label for e in STORM.timeline(3, SHAKE_S)
    ]
    given = Scenario("a storm", Load(shake_s=SHAKE_S), random_timeline=STORM, timeline=(At(1, 3, Kill("ingest")),))
    assert given.drawn() == given


#: A scenario with faults of its own that no one seed draws all of.
OWN = """
from shaketable.faults import Down
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario
from shaketable.faults.random_timeline import RandomTimeline, choice

class Quake(Down):
    kind = "quake"

class Tremor(Down):
    kind = "tremor"

SCENARIO = Scenario("a storm", Load(shake_s=4), random_timeline=RandomTimeline(
    (choice(Down("redis"), "redis"), choice(Quake("postgres"), "postgres")),
    opens_with=(choice(Tremor("redis"), "redis"),)
))
"""


def test_faults_of_a_storms_own_are_known_whatever_the_seed_draws(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    asked = scenario.load(str(tmp_path / "own.py"))
    drawn = {entry.fault.kind for entry in asked.drawn().timeline}
    assert not {"quake", "tremor"} <= drawn
    assert {"quake", "tremor"} <= FAULTS.kinds().keys()


def test_a_replay_plays_the_storm_that_was_drawn(tmp_path: Path) -> None:
    asked = Scenario("a storm", Load(shake_s=SHAKE_S), random_timeline=STORM, seed=3, name="storm")
    rundir.write_json(tmp_path / rundir.SCENARIO, asked.drawn().to_json())
    again = scenario.replayed(replace(asked, seed=1), RunDir(tmp_path)).drawn()
    assert (again.timeline, again.seed) == (asked.drawn().timeline, 3)
