"""A storm: a timeline drawn from a seed, out of gusts that may overlap where they do not meet."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault
from shaketable.faults.timeline import At, Timeline

#: Least seconds of a gust: its witness is taken at once and then each second.
LEAST_S = 2.0
#: Seconds of calm at both ends, and between two gusts that meet: a process that the first ended is back at work then.
CALM_S, BETWEEN_S = 0.5, 3.0
#: Times are drawn to a tenth of a second, so that people can read them.
GRAIN = 1


@dataclass(frozen=True)
class Gust:
    """A fault that a storm may hold; `on` names what it breaks. Two gusts with a name in common never overlap.

    It lasts from `least_s` to `most_s` seconds.
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


def gust(fault: Fault, *on: str, least_s: float = LEAST_S, most_s: float = 5.0) -> Gust:
    """A gust, as a scenario writes it: `gust(Down("postgres"), "postgres")`."""
    return Gust(fault, frozenset(on), least_s, most_s)


@dataclass(frozen=True)
class Storm:
    """`gusts` come every `every_s` seconds on average, at most `together` at a time."""

    gusts: tuple[Gust, ...]
    opens_with: tuple[Gust, ...] = ()  # one of these comes first: what the checks need, every storm must hold
    every_s: float = 2.5
    together: int = 2

    def __post_init__(self) -> None:
        if not self.gusts or self.every_s <= 0 or self.together < 1:
            raise ScenarioError(
                f"expected a storm of gusts, every_s above 0 and together of at least 1, got {len(self.gusts)}, "
                f"{self.every_s:g} and {self.together}"
            )

    def timeline(self, seed: int, shake_s: float) -> Timeline:
        """The same for the same arguments: each gust once before any comes twice, as long as there is room."""
        rng = random.Random(f"storm {seed}")
        drawn: list[tuple[At, Gust]] = []
        waiting = self._opening(rng)
        at = CALM_S
        while True:
            waiting = waiting or rng.sample(self.gusts, len(self.gusts))
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

    def _opening(self, rng: random.Random) -> list[Gust]:
        """All gusts in an order of the seed's, but for the first: that fault is not among them once more."""
        first = [rng.choice(self.opens_with)] if self.opens_with else []
        others = rng.sample(self.gusts, len(self.gusts))
        return [*first, *(gust for gust in others if gust.fault not in [one.fault for one in first])]

    def _fitting(self, waiting: Iterable[Gust], drawn: list[tuple[At, Gust]], at: float) -> Iterator[Gust]:
        """Those that meet nothing that is active, or was just now."""
        near = [gust for entry, gust in drawn if entry.until_s + BETWEEN_S > at]
        if sum(entry.until_s > at for entry, _ in drawn) >= self.together:
            return
        for one in waiting:
            if not any(one.on & other.on for other in near):
                yield one
