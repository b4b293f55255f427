"""The outcome of an exploration: results for CI, the page, and the last lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from shaketable import plural
from shaketable.explore import page
from shaketable.explore.found import Found
from shaketable.explore.progress import Totals
from shaketable.explore.reduction import Reduction
from shaketable.results import result
from shaketable.results.result import Result


@dataclass(frozen=True)
class ExplorationOutcome:
    """The result of an exploration, complete or interrupted."""

    reduction: Reduction
    seed: int

    def results(self) -> list[Result]:
        """One for each finding; without any, one for the whole exploration. The first has the coverage."""
        name, found = self.reduction.manifest.name, self.reduction.found
        made = [_of(one, name) for one in found] or [_clean(self.reduction.progress.totals, name)]
        return [msgspec.structs.replace(made[0], coverage=self.reduction.coverage.rows()), *made[1:]]

    def save(self) -> None:
        """Write the page. Raises HarnessError."""
        where = page.write(self.reduction, self.seed, result.collect(self.results()).verdict)
        self.reduction.progress.say(f"findings and coverage: {where}")

    def show(self) -> None:
        """Print the findings, and why trials were unknown."""
        say = self.reduction.progress.say
        for one in self.reduction.found:
            say(f"{'FOUND' if one.failed else 'not confirmed:'} {one.sentence}")
            if one.file is not None:
                say(f"  play it again: shaketable run {one.file}")
            if one.run is not None:
                say(f"  its report: shaketable report {one.run}")
        if not self.reduction.found:
            say("no finding")
        for why, count in _counted(self.reduction.progress.totals.doubts):
            say(f"unknown {count} ×: {why}")


def _of(one: Found, target: str) -> Result:
    if one.doc is None or one.file is None:
        why = f"{one.sentence}; it failed on warm servers only" if one.of else one.sentence
        return Result(scenario=f"explore {one.check}", verdict="unknown", exit_code=2, target=target, why=why)
    made = result.of(one.doc, 1, run=str(one.run or ""), seconds=one.find_s + one.shrink_s)
    return msgspec.structs.replace(made, scenario=one.file.stem, story=one.sentence)


def _clean(totals: Totals, target: str) -> Result:
    judged = totals.trials - totals.unknown
    figures: dict[str, float | None] = {"trials": float(totals.trials), "unknown_trials": float(totals.unknown)}
    if not judged:
        why = totals.doubts[0] if totals.doubts else "no trial was played"
        return Result(scenario="explore", verdict="unknown", exit_code=2, target=target, why=why, figures=figures)
    story = f"every event was delivered in {plural.counted(judged, 'trials')}"
    return Result(scenario="explore", verdict="passed", exit_code=0, target=target, story=story, figures=figures)


def _counted(doubts: Sequence[str]) -> list[tuple[str, int]]:
    return sorted(((why, doubts.count(why)) for why in set(doubts)), key=lambda pair: -pair[1])[:5]
