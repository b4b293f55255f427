"""Draw the trials: the same for the same seed, number and target.

Trial 0 has no fault. Then each option comes alone once, then pairs, then one to four faults, all uniformly. Uniform
drawing found overlapping pairs for more seeds than a search guided by Hypothesis, which also treats a flaky replay as
an error.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shaketable import checks
from shaketable.checks.check import Check
from shaketable.explore import catalogue
from shaketable.explore.catalogue import Option
from shaketable.faults.timeline import At, Timeline
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario
from shaketable.target import roles
from shaketable.target.manifest import Manifest

#: The checks that count: whether each event was delivered. Lanes disturb each other's times, so no check of times.
CHECKS: tuple[Check, ...] = (
    checks.NoLoss(),
    checks.NoDuplicates(),
    checks.OrderKept(),
    checks.NothingInvented(),
    checks.ContentIntact(),
    checks.RefusesRightly(),
)
#: Seconds of the parts of a trial.
BASELINE_S, SHAKE_S, RECOVER_S = 0.5, 4.0, 0.5
#: Events a second, and numbers of workers, that are drawn from.
RATES, WORKERS = (40.0, 100.0, 200.0), (1, 2, 2, 3)
#: Many resends, twins and ordered events: a trial is short. Few shapes: Hypothesis draws them anew for each seed.
MIX = Mix(malformed=0.04, resent=0.06, twins=0.02, ordered=0.3, shapes=60)
#: Short times of the target, where the manifest's [settings] take them: a lease must end within a trial.
SETTINGS: dict[str, float | str] = {
    "lease_s": 1.5,
    "attempt_timeout_s": 1,
    "breaker_recovery_s": 0.5,
    "retry_base_s": 0.1,
    "retry_cap_s": 0.5,
    "open_within_s": 6,
    "health_grace_s": 2,
}
#: How many different corpora: to draw one takes half a second.
CORPORA = 10
#: Seconds that a client resends one event, and that the drain may take.
RESEND_S, DRAIN_S = 12.0, 15.0
#: The most pairs that are drawn before timelines of one to four faults, as a multiple of the options.
PAIRS = 2
#: Times are drawn to a tenth of a second, so that they are easy to read.
GRAIN = 1
#: Draws after which a combination that does not fit is given up.
TRIES = 50


@dataclass(frozen=True)
class Draw:
    """Draws trials for one target."""

    manifest: Manifest
    options: Sequence[Option]
    seed: int
    most_workers: int = max(WORKERS)

    def trial(self, number: int) -> Scenario:
        """The trial of this number, from 0."""
        rng = random.Random(f"explore {self.seed} {number}")
        for _ in range(TRIES):
            found = self._drawn(rng, number)
            if catalogue.plays(found, self.manifest):
                return found
        return replace(found, timeline=())

    def _drawn(self, rng: random.Random, number: int) -> Scenario:
        workers = {"worker": min(rng.choice(WORKERS), self.most_workers)} if self._counts_workers() else {}
        return scenario(self._timeline(rng, number), rng.choice(RATES), workers, 1 + number % CORPORA)

    def _counts_workers(self) -> bool:
        """Whether exactly one kind of the target's processes is a worker: a scenario can set its number."""
        intake = self.manifest.ingest.process
        return sum(roles.role_of(kind, intake) == "worker" for kind in self.manifest.process) == 1

    def _timeline(self, rng: random.Random, number: int) -> Timeline:
        singles = len(self.options)
        if number == 0 or not singles:
            return ()
        if number <= singles:
            order = random.Random(f"explore {self.seed}").sample(self.options, singles)
            return self._placed(rng, [order[number - 1]])
        pairs = number <= singles * (1 + PAIRS)
        return self._placed(rng, rng.sample(self.options, min(2 if pairs else rng.randint(1, 4), singles)))

    def _placed(self, rng: random.Random, chosen: Sequence[Option]) -> Timeline:
        """Each at a time of its own; one that fits nowhere beside the others is left out."""
        placed: list[tuple[At, Option]] = []
        for option in chosen:
            for _ in range(TRIES):
                at = _window(rng, option)
                if not any(_meets(at, other) and option.things & its.things for other, its in placed):
                    placed.append((at, option))
                    break
        return tuple(sorted((at for at, _ in placed), key=lambda at: (at.at_s, at.until_s)))


def scenario(timeline: Timeline, rate: float, counts: dict[str, int], seed: int) -> Scenario:
    """A trial."""
    load = Load(rate, BASELINE_S, SHAKE_S, RECOVER_S, unsent_bound=0.5, lateness_bound_ms=5_000)
    return Scenario(
        sentence(timeline),
        load,
        timeline,
        CHECKS,
        SETTINGS,
        counts,
        MIX,
        DRAIN_S,
        RESEND_S,
        seed,
        "explore",
    )


def sentence(timeline: Timeline) -> str:
    """A trial's story: its faults, and the promise."""
    told = ", ".join(f"{at.fault.label} for {at.until_s - at.at_s:.1f} s" for at in timeline) or "no fault"
    return f"Drawn by an exploration ({told}): each event is delivered once, in order and unchanged."


def _window(rng: random.Random, option: Option) -> At:
    lasts = round(rng.uniform(option.least_s, min(option.most_s, SHAKE_S)), GRAIN)
    at = round(rng.uniform(0, SHAKE_S - lasts), GRAIN)
    return At(at, round(min(at + lasts, SHAKE_S), GRAIN), option.fault)


def _meets(one: At, other: At) -> bool:
    return one.at_s < other.until_s and other.at_s < one.until_s
