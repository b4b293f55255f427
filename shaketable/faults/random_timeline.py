"""A random timeline: drawn from a seed, out of fault choices. Choices that break the same thing never overlap."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault
from shaketable.faults.timeline import At, Timeline

#: Shortest duration of a fault, in seconds: its witness is taken at once and then each second.
LEAST_S = 2.0
#: Seconds without faults at both ends, and between two faults on the same thing: a process that the first one ended
#: works again by then.
CALM_S, BETWEEN_S = 0.5, 3.0
#: Times are drawn to a tenth of a second, so that they are easy to read.
GRAIN = 1


@dataclass(frozen=True)
class FaultChoice:
    """A fault that a random timeline may contain; `on` names the things that it breaks.

    It lasts from `least_s` to `most_s` seconds. Two choices with a name in common never overlap.
    """

    fault: Fault
    on: frozenset[str]
    least_s: float = LEAST_S
    most_s: float = 5.0

    def __post_init__(self) -> None:
        if not LEAST_S <= self.least_s <= self.most_s:
            raise ScenarioError(
                f"{self.fault.label}: expected {LEAST_S:g} <= least_s <= most_s, got {self.least_s:g} and "
                f"{self.most_s:g}: a shorter one might end before it is witnessed"
            )


def choice(fault: Fault, *on: str, least_s: float = LEAST_S, most_s: float = 5.0) -> FaultChoice:
    """A fault choice, as a scenario writes it: `choice(Down("postgres"), "postgres")`."""
    return FaultChoice(fault, frozenset(on), least_s, most_s)


@dataclass(frozen=True)
class RandomTimeline:
    """Faults drawn from `choices`, one every `every_s` seconds on average, at most `together` at a time."""

    choices: tuple[FaultChoice, ...]
    opens_with: tuple[FaultChoice, ...] = ()  # one of these comes first: the checks need it in every timeline
    every_s: float = 2.5
    together: int = 2

    def __post_init__(self) -> None:
        if not self.choices or self.every_s <= 0 or self.together < 1:
            raise ScenarioError(
                f"expected choices, every_s above 0 and together of at least 1, got {len(self.choices)}, "
                f"{self.every_s:g} and {self.together}"
            )

    def timeline(self, seed: int, shake_s: float) -> Timeline:
        """The same for the same arguments: each choice comes once before any comes twice, as long as there is room."""
        rng = random.Random(f"storm {seed}")
        drawn: list[tuple[At, FaultChoice]] = []
        waiting = self._opening(rng)
        at = CALM_S
        while True:
            waiting = waiting or rng.sample(self.choices, len(self.choices))
            fitting = next(self._fitting(waiting, drawn, at), None)
            if fitting is not None:
                until = at + rng.uniform(fitting.least_s, fitting.most_s)
                if until > shake_s - CALM_S:
                    break
                waiting.remove(fitting)
                drawn.append((At(round(at, GRAIN), round(until, GRAIN), fitting.fault), fitting))
            at += rng.uniform(0.5, 1.5) * self.every_s if fitting is not None else 0.5
            if at > shake_s:
                break
        return tuple(entry for entry, _ in drawn)

    def _opening(self, rng: random.Random) -> list[FaultChoice]:
        """All choices in an order drawn from the seed; the fault of the first is not repeated."""
        first = [rng.choice(self.opens_with)] if self.opens_with else []
        opening, others = [one.fault for one in first], rng.sample(self.choices, len(self.choices))
        return [*first, *(one for one in others if one.fault not in opening)]

    def _fitting(
        self, waiting: Iterable[FaultChoice], drawn: list[tuple[At, FaultChoice]], at: float
    ) -> Iterator[FaultChoice]:
        """The choices that break nothing that is broken now, or was a moment ago."""
        near = [one for entry, one in drawn if entry.until_s + BETWEEN_S > at]
        if sum(entry.until_s > at for entry, _ in drawn) >= self.together:
            return
        for one in waiting:
            if not any(one.on & other.on for other in near):
                yield one
