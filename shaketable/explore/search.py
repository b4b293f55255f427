"""The search: play found scenarios again, then drawn trials until the budget is spent; reduce each failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shaketable.errors import HarnessError, InputError
from shaketable.explore import catalogue, found, saved
from shaketable.explore.catalogue import LIBRARIES, Library
from shaketable.explore.draw import Draw
from shaketable.explore.reduction import Reduction
from shaketable.explore.share import ALL, TrialShare
from shaketable.explore.trial import Played

#: Every so many drawn trials, one runs on a cold stack: a leak between warm trials would show.
COLD_EVERY = 50
#: Drawn trials in a row that could not be played after which the exploration ends.
MOST_UNPLAYED = 10


@dataclass(frozen=True)
class Request:
    """What to explore. `first` ends the search at the first finding; without a seed it goes on where the last ended."""

    budget_s: float
    seed: int | None = None
    first: bool = False
    kinds: frozenset[str] = frozenset()
    libraries: frozenset[Library] = LIBRARIES
    most_trials: int | None = None
    share: TrialShare = ALL


@dataclass
class Search:
    """One exploration; `reduction` holds what it finds."""

    request: Request
    reduction: Reduction
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        reduction = self.reduction
        self._lanes, self._progress, self._manifest = reduction.lanes, reduction.progress, reduction.manifest
        self._unplayed = 0
        self._options = catalogue.of(self._manifest, self.request.kinds, self.request.libraries)
        options = catalogue.digest(self._options)
        start = saved.start(reduction.out, self._manifest.name, self.request.seed, options)
        self.position = msgspec.structs.replace(start, next=start.next + self.request.share.begin)

    def run(self) -> None:
        """Search until the budget is spent.

        Raises InputError when the target does not start without a fault, HarnessError when no trial can be played.
        """
        self._began = self.clock()
        if not self._options:
            raise InputError("expected a fault that finds something to break in this target, got none")
        self._draw = Draw(self._manifest, self._options, self.position.seed)
        try:
            self._play_earlier(self.reduction.out)
            self._play_drawn()
        except BaseException:  # Ctrl-C too
            self.reduction.keep_current()
            raise

    def _play_earlier(self, folder: Path) -> None:
        """The scenarios that earlier explorations found, so that a fixed bug is known at once."""
        earlier = [one for one in found.earlier(folder) if catalogue.plays(one, self._manifest)]
        for played in self._lanes.play(earlier, "an earlier finding"):
            self._note(played)
            if played.failed:
                self._progress.say(f"{played.scenario.name} still fails: {played.why}")
                check = found.check_of(played.scenario.name)
                self.reduction.again(played.scenario, check if check in played.failed else played.failed[0])
            else:
                self._progress.say(f"{played.scenario.name}: {played.verdict}")

    def _play_drawn(self) -> None:
        running: dict[Future[Played], int] = {}
        numbers, following = self._numbers(), self.position.next
        while True:
            while len(running) < self._lanes.count and (number := next(numbers, None)) is not None:
                following = number + self.request.share.of
                trial = self._draw.trial(number)
                cold = number % COLD_EVERY == COLD_EVERY - 1
                running[self._lanes.submit(trial, f"trial {number}: {found.after(trial.timeline)}", cold)] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number, played = running.pop(future), future.result()
                self._drawn(played, number, min(running.values(), default=following))

    def _numbers(self) -> Iterator[int]:
        """The numbers of the trials that are still due."""
        first = number = self.position.next
        most = self.request.most_trials
        while self._left_s() > 0 and not self._enough() and (most is None or number - first < most):
            yield number
            number += self.request.share.of

    def _enough(self) -> bool:
        return self.request.first and any(one.failed for one in self.reduction.found)

    def _left_s(self) -> float:
        return self.request.budget_s - (self.clock() - self._began)

    def _drawn(self, played: Played, number: int, next_: int) -> None:
        """Note a drawn trial; reduce it if it failed in a way that no finding explains. `next_`: the first not done."""
        self._check_played(played, number)
        known = self.reduction.found
        new = [check for check in played.failed if not found.explains(known, (check,), played.scenario)]
        new = [] if self._enough() else new
        self._note(played, next_, keep=bool(new))
        if new:
            self.reduction.reduce(played.scenario, new[0], played.why, self.clock() - self._began, played.run)

    def _check_played(self, played: Played, number: int) -> None:
        self._unplayed = 0 if played.run is not None else self._unplayed + 1
        if number == 0 and self._unplayed:
            raise InputError(f"the target cannot be explored: without any fault, {played.why}")
        if self._unplayed > MOST_UNPLAYED:
            raise HarnessError(f"{self._unplayed} trials in a row could not be played: {played.why}")

    def _note(self, played: Played, next_: int | None = None, keep: bool = False) -> None:
        """Note a trial, and save the position."""
        self.reduction.note(played, keep)
        totals = self._progress.totals
        following = self.position.next if next_ is None else next_
        self.position = msgspec.structs.replace(
            self.position, next=following, trials=totals.trials, failed=totals.failed, unknown=totals.unknown
        )
        saved.write(self.reduction.out, self._manifest.name, self.position)
