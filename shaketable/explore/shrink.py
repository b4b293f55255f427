"""Shrink a failing scenario to the smallest that fails the same check: greedily, compound candidates first.

A candidate that changes much at once ("this fault alone, short, one worker") saves many small steps when it fails too,
and costs one trial when it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from shaketable.explore import catalogue
from shaketable.faults.fault import Fault
from shaketable.faults.timeline import At, Timeline
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

#: Seconds of a fault that the catalogue does not hold: two looks of its witness.
LEAST_S = 2.0
#: Seconds before the first fault and after the last one.
MARGIN_S = 0.3
#: The lowest rate that is tried, in events a second: below it a short trial sends too few events to lose one.
LEAST_RATE = 40.0
#: How large a target counts whose number of workers the scenario does not set.
UNSET = 1_000
GRAIN = 1

#: Plays candidates, best first, and returns one that fails the same check, or None.
Attempt = Callable[[Sequence[Scenario]], Scenario | None]
Size = tuple[float, ...]


def shrink(failing: Scenario, attempt: Attempt, more: Callable[[], bool] = lambda: True) -> Scenario:
    """The smallest scenario that was found to fail while `more()`."""
    while more():
        smaller = attempt(list(candidates(failing)))
        if smaller is None:
            return failing
        failing = smaller
    return failing


def size(scenario: Scenario) -> Size:
    """Fewer faults come first, then fewer workers, shorter faults, a lower rate, a shorter load."""
    lasts = sum(at.until_s - at.at_s for at in scenario.timeline)
    workers = sum(scenario.counts.values()) or UNSET
    return len(scenario.timeline), workers, round(lasts, GRAIN), scenario.load.rate, round(scenario.load.seconds, GRAIN)


def candidates(scenario: Scenario) -> Iterator[Scenario]:
    """Smaller scenarios, each once, those that change most first."""
    seen: list[Scenario] = []
    for found in _candidates(scenario):
        if size(found) < size(scenario) and found not in seen:
            seen.append(found)
            yield found


def _candidates(scenario: Scenario) -> Iterator[Scenario]:
    one = {**scenario.counts, "worker": 1}
    yield _with(scenario, (), one)
    yield _with(scenario, (), scenario.counts)
    for at in scenario.timeline:
        yield _slow(_with(scenario, (_lasting(at, least_s(at.fault)),), one))
        yield _with(scenario, (at,), one)
    for at in scenario.timeline:
        yield _with(scenario, (at,), scenario.counts)
    for number in range(len(scenario.timeline)):
        yield _with(scenario, (*scenario.timeline[:number], *scenario.timeline[number + 1 :]), scenario.counts)
    yield _with(scenario, scenario.timeline, one)
    for kind, count in scenario.counts.items():
        yield _with(scenario, scenario.timeline, {**scenario.counts, kind: max(1, count - 1)})
    yield _slow(_with(scenario, scenario.timeline, scenario.counts))
    for number, at in enumerate(scenario.timeline):
        for lasts in _shorter(at):
            changed = (*scenario.timeline[:number], _lasting(at, lasts), *scenario.timeline[number + 1 :])
            yield _with(scenario, changed, scenario.counts)
    yield _with(scenario, scenario.timeline, scenario.counts)


def least_s(fault: Fault) -> float:
    """The shortest time that the fault's witness needs."""
    known = [option.least_s for option in catalogue.CATALOGUE if option.fault.kind == fault.kind]
    return min(known, default=LEAST_S)


def _shorter(at: At) -> Iterator[float]:
    least, lasts = least_s(at.fault), at.until_s - at.at_s
    for shorter in (least, (least + lasts) / 2, lasts - 0.2):
        if least <= shorter < lasts:
            yield round(shorter, GRAIN)


def _lasting(at: At, seconds: float) -> At:
    return At(at.at_s, round(at.at_s + min(seconds, at.until_s - at.at_s), GRAIN), at.fault)


def _slow(scenario: Scenario) -> Scenario:
    return replace(scenario, load=replace(scenario.load, rate=min(scenario.load.rate, LEAST_RATE)))


def _with(scenario: Scenario, timeline: Timeline, counts: Mapping[str, int]) -> Scenario:
    """The scenario with these faults, moved to the beginning, and a load that ends soon after them."""
    first = min((at.at_s for at in timeline), default=0.0)
    earlier = max(0.0, round(first - MARGIN_S, GRAIN))
    moved = tuple(At(round(at.at_s - earlier, GRAIN), round(at.until_s - earlier, GRAIN), at.fault) for at in timeline)
    return replace(scenario, timeline=moved, counts=counts, load=_cut(scenario.load, moved))


def _cut(load: Load, timeline: Timeline) -> Load:
    """Without faults the load stays as it is: nothing says what part of it matters."""
    if not timeline:
        return load
    last = round(max(at.until_s for at in timeline) + MARGIN_S, GRAIN)
    return replace(load, shake_s=min(load.shake_s, last))
