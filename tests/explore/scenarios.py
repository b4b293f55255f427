"""Scenarios for the tests of exploration, and a player that asks an oracle instead of playing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shaketable import resources
from shaketable.checks.check import Verdict
from shaketable.explore import catalogue, draw
from shaketable.explore.draw import Draw
from shaketable.explore.trial import Played
from shaketable.faults.fault import Fault
from shaketable.faults.timeline import At
from shaketable.runner.scenario import Scenario
from shaketable.target import manifest as manifests

REFERENCE = resources.target(None)
MANIFEST = manifests.load(REFERENCE)


def drawn(seed: int) -> Draw:
    return Draw(MANIFEST, catalogue.of(MANIFEST), seed)


def trial(*faults: Fault, at_s: float = 1.0, lasts_s: float = 2.5, rate: float = 200, workers: int = 3) -> Scenario:
    timeline = tuple(At(at_s, at_s + lasts_s, fault) for fault in faults)
    return draw.scenario(timeline, rate, {"worker": workers}, 1)


def holds(scenario: Scenario, *kinds: str, least_s: float = 0.0) -> bool:
    """Whether it has a fault of each of these kinds that lasts so long."""
    long = {at.fault.kind for at in scenario.timeline if at.until_s - at.at_s >= least_s}
    return set(kinds) <= long


@dataclass
class Oracle:
    """Plays a trial by asking whether it would fail; each trial gets a run directory like a real one."""

    fails: Callable[[Scenario], bool]
    check: str = "no_loss"
    played: list[Scenario] = field(default_factory=list)
    stacks: list[Any] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        with self.lock:
            self.played.append(scenario)
            self.stacks.append(stack)
            run = runs / f"run-{len(self.played)}"
        run.mkdir(parents=True)
        if self.fails(scenario):
            return Played(scenario, Verdict.FAILED, (self.check,), "1 event is lost", run, 0.1)
        return Played(scenario, Verdict.PASSED, run=run, seconds=0.1)
