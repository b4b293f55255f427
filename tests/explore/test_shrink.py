"""Shrinking against oracles: it ends, never grows, and finds the smallest that still fails."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from shaketable import faults
from shaketable.explore import catalogue
from shaketable.explore.shrink import candidates, shrink, size
from shaketable.runner.scenario import Scenario
from tests.explore.scenarios import MANIFEST, drawn, holds, trial

Oracle = Callable[[Scenario], bool]


def first_of(oracle: Oracle, tried: list[Scenario] | None = None) -> Callable[[Sequence[Scenario]], Scenario | None]:
    def attempt(found: Sequence[Scenario]) -> Scenario | None:
        for candidate in found:
            if tried is not None:
                tried.append(candidate)
            if oracle(candidate):
                return candidate
        return None

    return attempt


def kinds(scenario: Scenario) -> list[str]:
    return [at.fault.kind for at in scenario.timeline]


BIG = trial(faults.Down("redis"), faults.Kill("worker-1"), faults.Pause("intake"), faults.Latency("postgres", ms=300))


def test_one_fault_is_left_short_with_one_worker_and_few_events() -> None:
    tried: list[Scenario] = []
    small = shrink(BIG, first_of(lambda s: holds(s, "kill"), tried))
    (at,) = small.timeline
    assert at.fault == faults.Kill("worker-1")
    assert at.until_s - at.at_s == pytest.approx(0.5)
    assert (small.counts, small.load.rate) == ({"worker": 1}, 40)
    assert small.load.seconds < BIG.load.seconds
    assert len(tried) < 30


def test_failure_without_faults_is_seen_at_once() -> None:
    tried: list[Scenario] = []
    assert shrink(BIG, first_of(lambda s: True, tried)).timeline == ()
    assert tried[0].timeline == ()


def test_pair_that_must_meet_stays_a_pair() -> None:
    def meet(s: Scenario) -> bool:
        down = [at for at in s.timeline if at.fault.kind == "down"]
        kill = [at for at in s.timeline if at.fault.kind == "kill"]
        return any(one.at_s < other.until_s and other.at_s < one.until_s for one in down for other in kill)

    small = shrink(BIG, first_of(meet))
    assert sorted(kinds(small)) == ["down", "kill"]
    assert meet(small)


def test_fault_that_must_last_stays_as_long_as_it_must() -> None:
    small = shrink(BIG, first_of(lambda s: holds(s, "kill", least_s=1.5)))
    (at,) = small.timeline
    assert 1.5 <= at.until_s - at.at_s < 1.8


def test_workers_that_are_needed_stay() -> None:
    small = shrink(BIG, first_of(lambda s: holds(s, "kill") and s.counts["worker"] >= 2))
    assert (kinds(small), small.counts) == (["kill"], {"worker": 2})


@pytest.mark.parametrize("seed", range(20))
def test_result_always_fails_is_no_larger_and_can_be_played(seed: int) -> None:
    rng = random.Random(seed)
    big = drawn(seed).trial(rng.randrange(110, 400))
    needed = {at.fault.kind for at in rng.sample(big.timeline, min(2, len(big.timeline)))}

    def oracle(s: Scenario) -> bool:
        return holds(s, *needed)

    small = shrink(big, first_of(oracle))
    assert oracle(small)
    assert size(small) <= size(big)
    assert {at.fault.kind for at in small.timeline} == needed
    assert catalogue.plays(small, MANIFEST)


def test_candidates_are_smaller_and_none_comes_twice() -> None:
    found = list(candidates(BIG))
    assert all(size(each) < size(BIG) for each in found)
    assert all(found.count(each) == 1 for each in found)


def test_shrinking_ends_when_its_time_is_over() -> None:
    tried: list[Scenario] = []
    assert shrink(BIG, first_of(lambda s: True, tried), lambda: False) is BIG
    assert tried == []
