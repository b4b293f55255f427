"""The search: play found scenarios again, then drawn trials until the budget is spent; shrink and confirm failures."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from shaketable.checks.check import Verdict
from shaketable.errors import InputError
from shaketable.explore import catalogue, found, saved
from shaketable.explore.confirm import confirm
from shaketable.explore.draw import Draw
from shaketable.explore.found import Found
from shaketable.explore.lanes import Lanes
from shaketable.explore.memo import Memo
from shaketable.explore.progress import Progress
from shaketable.explore.saved import Position
from shaketable.explore.shrink import shrink
from shaketable.explore.trial import Played
from shaketable.runner.scenario import Scenario
from shaketable.target.manifest import Manifest

#: Seconds that shrinking one failure may take.
SHRINK_S = 180.0
#: Every so many drawn trials, one runs on a cold stack: a leak between warm trials would show.
COLD_EVERY = 50


@dataclass(frozen=True)
class Request:
    """What to explore. `first` ends the search at the first finding."""

    target: Path
    manifest: Manifest
    out: Path
    budget_s: float
    seed: int | None = None
    first: bool = False
    kinds: frozenset[str] = frozenset()
    most_trials: int | None = None


@dataclass
class Search:
    """One exploration. `found` grows while it runs, so that Ctrl-C loses none."""

    request: Request
    lanes: Lanes
    progress: Progress
    clock: Callable[[], float] = time.monotonic
    found: list[Found] = field(default_factory=list)
    memo: Memo = field(default_factory=Memo)

    def __post_init__(self) -> None:
        self.position = saved.start(self.request.out, self.request.manifest.name, self.request.seed)
        self._current: Found | None = None  # a failure that is being shrunk or confirmed

    def run(self) -> None:
        """Search until the budget is spent. Raises InputError when the target fails to start without a fault."""
        request = self.request
        self._began = self.clock()
        options = catalogue.of(request.manifest, request.kinds)
        if not options:
            raise InputError("expected a fault that finds something to break in this target, got none")
        self._draw = Draw(request.manifest, options, self.position.seed)
        try:
            self._play_earlier()
            self._play_drawn()
        except BaseException:  # Ctrl-C too: what failed is kept as far as it was shrunk
            self._keep_current()
            raise

    def _keep_current(self) -> None:
        if (one := self._current) is not None:
            self._current = None
            self._add(replace(one, file=self._written(one)))

    def _written(self, one: Found) -> Path:
        return found.write(self.request.out, one.check, one.scenario, self.request.manifest.name, one.sentence)

    def _play_earlier(self) -> None:
        """The scenarios that earlier explorations found, so that a fixed bug is known at once."""
        earlier = [one for one in found.earlier(self.request.out) if catalogue.plays(one, self.request.manifest)]
        for played in self.lanes.play(earlier, "an earlier finding"):
            self._note(played)
            if played.failed:
                self.progress.say(f"{played.scenario.name} still fails: {played.why}")
                self._add(self._confirmed(played.scenario, played.failed[0], 0, 0.0, 0, 0.0, file=True))
            else:
                self.progress.say(f"{played.scenario.name}: {played.verdict}")

    def _play_drawn(self) -> None:
        running: dict[Future[Played], int] = {}
        numbers = self._numbers()
        while True:
            while len(running) < self.lanes.count and (number := next(numbers, None)) is not None:
                trial = self._draw.trial(number)
                cold = number % COLD_EVERY == COLD_EVERY - 1
                running[self.lanes.submit(trial, f"trial {number}: {found.after(trial.timeline)}", cold)] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                self._drawn(future.result(), running.pop(future))

    def _numbers(self) -> Iterator[int]:
        """The numbers of the trials that are still due."""
        first = number = self.position.next
        most = self.request.most_trials
        while self._left_s() > 0 and not self._enough() and (most is None or number - first < most):
            yield number
            number += 1

    def _enough(self) -> bool:
        return self.request.first and bool(self.found)

    def _left_s(self) -> float:
        return self.request.budget_s - (self.clock() - self._began)

    def _drawn(self, played: Played, number: int) -> None:
        """Note a drawn trial; shrink and confirm it if it failed in a way that no finding explains."""
        if number == 0 and played.run is None:
            raise InputError(f"the target cannot be explored: without any fault, {played.why}")
        self._note(played, max(self.position.next, number + 1))
        if not played.failed or self._enough() or self._explained(played):
            return
        trials, seconds, check = self.progress.totals.trials, self.clock() - self._began, played.failed[0]
        self.progress.say(f"{check} failed {found.after(played.scenario.timeline)}; shrinking")
        self._current = Found(check, played.scenario, 0, 0, played.why, trials, seconds)
        small = shrink(played.scenario, self._attempt(check), self._timer(SHRINK_S))
        took = self.progress.totals.trials - trials, self.clock() - self._began - seconds
        self._add(self._confirmed(small, check, trials, seconds, *took))

    def _explained(self, played: Played) -> bool:
        """Whether a finding of the same check needs no fault that this trial lacks."""
        labels = {at.fault.label for at in played.scenario.timeline}
        known = [one for one in self.found if one.check in played.failed]
        return any({at.fault.label for at in one.scenario.timeline} <= labels for one in known)

    def _timer(self, seconds: float) -> Callable[[], bool]:
        deadline = self.clock() + seconds
        return lambda: self.clock() < deadline

    def _attempt(self, check: str) -> Callable[[Sequence[Scenario]], Scenario | None]:
        """Try candidates, each at most twice; the first in their order that has failed by then is taken."""
        more = self._timer(SHRINK_S)

        def attempt(candidates: Sequence[Scenario]) -> Scenario | None:
            allowed = [each for each in candidates if catalogue.plays(each, self.request.manifest)]
            for batch in _batches(allowed, self.lanes.count):
                for _ in range(2):
                    due = [each for each in batch if self.memo.left(each) and not self.memo.failed(each, check)]
                    for played in self.lanes.play(due if more() else [], f"shrinking {check}"):
                        self._note(played)
                    failing = next((each for each in batch if self.memo.failed(each, check)), None)
                    if failing is not None:
                        self._current = replace(self._current, scenario=failing) if self._current else None
                        return failing
            return None

        return attempt

    def _confirmed(
        self, scenario: Scenario, check: str, find: int, find_s: float, shrunk: int, shrunk_s: float, file: bool = False
    ) -> Found:
        """Play it on cold stacks, and write its file if it fails there too."""
        self.progress.say(f"{check} fails {found.after(scenario.timeline)}; confirming on a cold stack")
        outcomes = []
        for played in confirm(self.lanes, scenario):
            self._note(played, keep=check in played.failed)
            outcomes.append(played)
        failing = [played for played in outcomes if check in played.failed]
        last = failing[-1] if failing else None
        made = Found(check, scenario, len(failing), len(outcomes), "", find, find_s, shrunk, shrunk_s)
        if last is None:
            return made
        made = replace(made, why=last.why, run=last.run, doc=last.doc)
        if file:
            return replace(made, file=self.request.out / f"{scenario.name}.py")
        return replace(made, file=self._written(made))

    def _add(self, one: Found) -> None:
        self._current = None
        self.found.append(one)
        self.progress.say(one.sentence)

    def _note(self, played: Played, next_: int | None = None, keep: bool = False) -> None:
        """Count a trial, remember it, and remove its run directory unless it is evidence."""
        self.memo.note(played)
        self.progress.note(played)
        totals = self.progress.totals
        following = self.position.next if next_ is None else next_
        self.position = Position(self.position.seed, following, totals.trials, totals.failed, totals.unknown)
        saved.write(self.request.out, self.request.manifest.name, self.position)
        if played.run is not None and not keep and played.verdict is not Verdict.UNKNOWN:
            shutil.rmtree(played.run, ignore_errors=True)


def _batches(candidates: Sequence[Scenario], size: int) -> Iterator[Sequence[Scenario]]:
    for begin in range(0, len(candidates), size):
        yield candidates[begin : begin + size]
