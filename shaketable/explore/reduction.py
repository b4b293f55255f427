"""From a failing trial to a finding: shrink it on the lanes, confirm it on cold stacks, write its scenario."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from shaketable.checks.check import Verdict
from shaketable.errors import ScenarioError
from shaketable.explore import catalogue, found
from shaketable.explore.confirm import confirm
from shaketable.explore.coverage import Coverage
from shaketable.explore.found import Found
from shaketable.explore.lanes import Lanes
from shaketable.explore.memo import MOST, Memo
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.shrink import shrink
from shaketable.explore.trial import Played
from shaketable.runner.scenario import Scenario
from shaketable.target.manifest import Manifest

#: Seconds that shrinking one failure may take.
SHRINK_S = 180.0
#: Trials after which a failure that did not come again is not shrunk: hardly a smaller scenario would show it either.
MOST_AGAIN = 4
#: The most run directories of unknown trials that are left as evidence.
MOST_UNKNOWN = 5


@dataclass
class Reduction:
    """Makes findings. `found` grows meanwhile, so that Ctrl-C loses none; `out` is the folder of their files."""

    manifest: Manifest
    out: Path
    lanes: Lanes
    progress: ExplorationProgress
    clock: Callable[[], float] = time.monotonic
    budget_s: float = SHRINK_S
    found: list[Found] = field(default_factory=list)
    memo: Memo = field(default_factory=Memo)
    coverage: Coverage = field(default_factory=Coverage)

    def __post_init__(self) -> None:
        self._current: Found | None = None  # what is being shrunk or confirmed

    def reduce(self, scenario: Scenario, check: str, why: str, find_s: float, run: Path | None = None) -> Found:
        """Shrink a scenario that fails this check, and confirm the smallest. `run` is the evidence until then.

        One that does not fail again soon is not shrunk: a race, or a machine that was too busy.
        """
        trials, began = self.progress.totals.trials, self.clock()
        self.progress.say(f"{check} failed {found.after(scenario.timeline)}; playing it again")
        self._current, more = Found(check, scenario, 0, 0, why, trials, find_s, run=run), self._timer()
        small = scenario
        if self._fails_again(scenario, check):
            self.progress.say(f"{check} failed again; shrinking")
            small = shrink(scenario, self._attempt(check, more), more)
        self._current = replace(
            self._current,
            scenario=small,
            shrink_trials=self.progress.totals.trials - trials,
            shrink_s=self.clock() - began,
        )
        return self._add(self.confirmed(self._current))

    def again(self, scenario: Scenario, check: str) -> Found:
        """Confirm a scenario that an earlier exploration found, and whose file there is."""
        file = self.out / f"{scenario.name}.py"
        return self._add(self.confirmed(Found(check, scenario, 0, 0, file=file)))

    def confirmed(self, one: Found) -> Found:
        """Play it on cold stacks, and write its file if it fails there too."""
        self.progress.say(f"{one.check} fails {found.after(one.scenario.timeline)}; confirming on cold stacks")
        outcomes = []
        for played in confirm(self.lanes, one.scenario):
            self.note(played, keep=one.check in played.failed)
            outcomes.append(played)
        failing = [played for played in outcomes if one.check in played.failed]
        one = replace(one, failed=len(failing), of=len(outcomes))
        if not failing:
            return replace(one, file=None)
        if one.run is not None:
            shutil.rmtree(one.run, ignore_errors=True)
        last = failing[-1]
        one = replace(one, why=last.why, run=last.run, doc=last.doc)
        return one if one.file else replace(one, file=self._written(one))

    def keep_current(self) -> None:
        """After an interruption: what failed becomes a finding as far as it was shrunk."""
        if (one := self._current) is not None:
            try:
                file = self._written(one)
            except ScenarioError:
                file = None
            self._add(replace(one, file=file))

    def note(self, played: Played, keep: bool = False) -> None:
        """Count a trial, remember it, and remove its run directory unless it is evidence."""
        self.memo.note(played)
        self.progress.note(played)
        self.coverage.note(played)
        doubtful = played.verdict is Verdict.UNKNOWN and self.progress.totals.unknown <= MOST_UNKNOWN
        if played.run is not None and not keep and not doubtful:
            shutil.rmtree(played.run, ignore_errors=True)

    def _add(self, one: Found) -> Found:
        self._current = None
        self.found.append(one)
        self.progress.say(one.sentence)
        return one

    def _written(self, one: Found) -> Path:
        return found.write(self.out, one.check, one.scenario, self.manifest.name, one.sentence)

    def _fails_again(self, scenario: Scenario, check: str) -> bool:
        """Whether it fails this check in one of MOST_AGAIN more trials, as many at once as there are lanes."""
        for batch in _batches([scenario] * MOST_AGAIN, self.lanes.count):
            outcomes = list(self.lanes.play(batch, "playing it again"))
            for played in outcomes:
                self.note(played)
            if any(check in played.failed for played in outcomes):
                return True
        return False

    def _timer(self) -> Callable[[], bool]:
        deadline = self.clock() + self.budget_s
        return lambda: self.clock() < deadline

    def _attempt(self, check: str, more: Callable[[], bool]) -> Callable[[Sequence[Scenario]], Scenario | None]:
        """Try candidates, each at most twice; the first in their order that has failed by then is taken."""

        def attempt(candidates: Sequence[Scenario]) -> Scenario | None:
            allowed = [each for each in candidates if catalogue.plays(each, self.manifest)]
            for batch in _batches(allowed, self.lanes.count):
                for _ in range(MOST):
                    due = [each for each in batch if self.memo.left(each) and not self.memo.failed(each, check)]
                    for played in self.lanes.play(due if more() else [], f"shrinking {check}"):
                        self.note(played)
                    failing = next((each for each in batch if self.memo.failed(each, check)), None)
                    if failing is not None:
                        self._current = replace(self._current, scenario=failing) if self._current else None
                        return failing
            return None

        return attempt


def _batches(candidates: Sequence[Scenario], size: int) -> Iterator[Sequence[Scenario]]:
    for begin in range(0, len(candidates), size):
        yield candidates[begin : begin + size]
