"""Confirm a shrunk scenario: play it several times on cold stacks, with consecutive seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shaketable.explore.lanes import Lanes
from shaketable.explore.trial import Played
from shaketable.runner.scenario import Scenario

#: How often it is played: k of 6 says how often it fails.
TIMES = 6


def confirm(lanes: Lanes, scenario: Scenario, times: int = TIMES) -> Iterator[Played]:
    """The outcomes, in the order in which they end."""
    seeds = range(scenario.seed, scenario.seed + times)
    return lanes.play([replace(scenario, seed=seed) for seed in seeds], "confirming", cold=True)
