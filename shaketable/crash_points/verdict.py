"""The verdict on all points: sentences of the holes, and what could not be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec

from shaketable.checks.check import Verdict
from shaketable.crash_points.point import DONE, How, Point
from shaketable.crash_points.survey import Survey
from shaketable.crash_points.trial import PointTrial
from shaketable.errors import Interrupted
from shaketable.results import result
from shaketable.results.result import Result

#: What a delivery check that failed says of the target.
LOSES = {
    "no_loss": "loses events",
    "no_duplicates": "stores events twice",
    "nothing_invented": "stores events that nobody sent",
    "order_kept": "stores events in another order",
    "content_intact": "changes events",
    "refuses_rightly": "accepts or refuses wrongly",
}


@dataclass(frozen=True)
class Verdicts:
    """All trials, in the order in which their points pass under load."""

    target: str
    how: How
    survey: Survey
    trials: tuple[PointTrial, ...]
    unplayed: tuple[Point, ...] = ()  # after an interruption

    @property
    def failed(self) -> list[PointTrial]:
        return [trial for trial in self.trials if trial.verdict is Verdict.FAILED]

    @property
    def unreached(self) -> list[PointTrial]:
        """Points whose message did not come in the trial: nothing was broken there."""
        return [trial for trial in self.trials if trial.reached is False and trial.verdict is not Verdict.FAILED]

    @property
    def unknown(self) -> list[PointTrial]:
        """Points that were reached, or not even tried, and could not be judged."""
        return [trial for trial in self.trials if trial.verdict is Verdict.UNKNOWN and trial.reached is not False]

    @property
    def passed(self) -> list[PointTrial]:
        return [trial for trial in self.trials if trial.verdict is Verdict.PASSED]

    @property
    def verdict(self) -> Verdict:
        """Failed for a hole, unknown when a point could not be judged or none was reached, else passed."""
        if self.failed:
            return Verdict.FAILED
        return Verdict.UNKNOWN if self.unknown or self.unplayed or not self.passed else Verdict.PASSED

    @property
    def exit_code(self) -> int:
        """That of the verdict."""
        return self.verdict.exit_code

    def holes(self) -> list[str]:
        """One sentence for each stretch of neighbouring points of a process at which the same checks fail."""
        return [sentence for process in self._processes() for sentence in self._of(process)]

    def results(self) -> list[Result]:
        """One result for each point, for the files of CI."""
        played = [_result(trial, self.target) for trial in self.trials]
        return played + [_interrupted(point, self.how, self.target) for point in self.unplayed]

    def _processes(self) -> list[str]:
        return list(dict.fromkeys(trial.point.process for trial in self.trials))

    def _of(self, process: str) -> Iterator[str]:
        own = [trial for trial in self.trials if trial.point.process == process and trial.reached is not False]
        for checks, stretch in groupby(own, key=lambda trial: trial.failed):
            if checks:
                yield sentence(process, self.how, [trial.point for trial in stretch], checks)


def sentence(process: str, how: How, points: Sequence[Point], checks: Sequence[str]) -> str:
    """`worker-1, killed from after XTRIM to before COMMIT, loses events (no_loss at 7 points)`."""
    first, last = points[0], points[-1]
    where = first.place if len(points) == 1 else f"{first.place} and {last.place}"
    if len(points) > 2:
        where = f"anywhere from {first.place} to {last.place}"
    does = " and ".join(LOSES.get(check, f"fails {check}") for check in checks)
    return f"{process}, {DONE[how]} {where}, {does}"


def _name(point: Point, how: How) -> str:
    return f"crashpoint {point.told(how)} ({point.service})"


def _interrupted(point: Point, how: How, target: str) -> Result:
    code = Interrupted.exit_code
    return Result(scenario=_name(point, how), verdict="interrupted", exit_code=code, target=target, why="not played")


def _result(trial: PointTrial, target: str) -> Result:
    name = _name(trial.point, trial.how)
    code = {Verdict.PASSED: 0, Verdict.FAILED: 1}.get(trial.verdict, 2)
    run = str(trial.run or "")
    if trial.reached is False and trial.verdict is Verdict.UNKNOWN:  # as in the verdict on all points
        why = "not reached: no such message came in its trial"
        return Result(scenario=name, verdict="skipped", exit_code=code, target=target, why=why)
    if trial.doc is None:
        return Result(scenario=name, verdict="unknown", exit_code=code, target=target, why=trial.why, run=run)
    return msgspec.structs.replace(result.of(trial.doc, code, run=run, seconds=trial.seconds), scenario=name)
