"""The outcome of an exploration: results for CI, the page, and the last lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from shaketable import plural
from shaketable.errors import Interrupted, ShaketableError, unread
from shaketable.explore import page
from shaketable.explore.explored import Explored
from shaketable.explore.found import Found
from shaketable.explore.progress import Totals
from shaketable.results import result
from shaketable.results.result import Ending, Result


@dataclass
class ExplorationOutcome:
    """The result of an exploration, complete or interrupted."""

    made: Explored
    seed: int
    lost: Sequence[Result] = ()  # of shares that came to no outcome
    ended: BaseException | None = None  # what ended it before its time

    def results(self) -> list[Result]:
        """One for each finding; without any, one for the whole exploration. The first has the coverage.

        An exploration that was interrupted, or that an error ended, has a result that says so, and never passed.
        """
        name, totals = self.made.manifest.name, self.made.progress.totals
        made = [_of(one, name) for one in self.made.found]
        if self.ended is not None:
            made.append(_cut_off(self.ended, totals, name))
        made = made or [_clean(totals, name)]
        return [msgspec.structs.replace(made[0], coverage=self.made.coverage.rows()), *made[1:], *self.lost]

    def save(self) -> None:
        """Write the page. Raises HarnessError."""
        where = page.write(self.made, self.seed, result.collect(self.results()).verdict)
        self.made.progress.say(f"findings and coverage: {where}")

    def show(self) -> None:
        """Print the findings, and why trials were unknown."""
        say = self.made.progress.say
        for one in self.made.found:
            say(f"{'FOUND' if one.failed else 'not confirmed:'} {one.sentence}")
            if one.file is not None:
                say(f"  play it again: shaketable run {one.file}")
            if one.run is not None:
                say(f"  its report: shaketable report {one.run}")
        if not self.made.found:
            say("no finding")
        for why, count in _counted(self.made.progress.totals.doubts):
            say(f"unknown {count} ×: {why}")


def _of(one: Found, target: str) -> Result:
    if one.doc is None or one.file is None:
        why = f"{one.sentence}; it failed on warm servers only" if one.of else one.sentence
        return Result(scenario=f"explore {one.check}", verdict="unknown", exit_code=2, target=target, why=why)
    made = result.of(one.doc, 1, run=str(one.run or ""), seconds=one.find_s + one.shrink_s)
    return msgspec.structs.replace(made, scenario=one.file.stem, story=one.sentence)


def _figures(totals: Totals) -> dict[str, float | None]:
    return {"trials": float(totals.trials), "unknown_trials": float(totals.unknown)}


def _cut_off(ended: BaseException, totals: Totals, target: str) -> Result:
    code = ended.exit_code if isinstance(ended, ShaketableError) else Interrupted.exit_code
    verdict: Ending = "interrupted" if isinstance(ended, KeyboardInterrupt | Interrupted) or unread(ended) else "error"
    judged = plural.counted(totals.trials - totals.unknown, "judged trials")
    why = f"{str(ended) or 'interrupted'}, after {judged}"
    figures = _figures(totals)
    return Result(scenario="explore", verdict=verdict, exit_code=code, target=target, why=why, figures=figures)


def _clean(totals: Totals, target: str) -> Result:
    judged, figures = totals.trials - totals.unknown, _figures(totals)
    if totals.failed:
        why = f"{plural.counted(totals.failed, 'trials')} failed, and no finding came of them"
        return Result(scenario="explore", verdict="unknown", exit_code=2, target=target, why=why, figures=figures)
    if not judged:
        why = totals.doubts[0] if totals.doubts else "no trial was played"
        return Result(scenario="explore", verdict="unknown", exit_code=2, target=target, why=why, figures=figures)
    story = f"every event was delivered in {plural.counted(judged, 'trials')}"
    return Result(scenario="explore", verdict="passed", exit_code=0, target=target, story=story, figures=figures)


def _counted(doubts: Sequence[str]) -> list[tuple[str, int]]:
    return sorted(((why, doubts.count(why)) for why in set(doubts)), key=lambda pair: -pair[1])[:5]
