"""`crashpoints` as a command: survey the target, play a trial at each point, print and write the result."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from shaketable import plural, resources
from shaketable.checks.check import Verdict
from shaketable.crash_points import table
from shaketable.crash_points.lanes import TrialLanes
from shaketable.crash_points.point import HOWS, How, Point
from shaketable.crash_points.survey import Survey
from shaketable.crash_points.trial import RATE, PointTrial
from shaketable.crash_points.verdict import Verdicts
from shaketable.errors import InputError, ToolchainMissing
from shaketable.results.result import Result
from shaketable.runner.progress import PlainReporter
from shaketable.target import environments
from shaketable.target import manifest as manifests

#: The most lanes by default: each takes a stack, a target and a load.
MOST_LANES = 8
#: Trials at a point that could not be judged, or was not reached.
TRIES = 2
#: Seconds between two lines of progress.
EVERY_S = 10.0

Write = Callable[[Sequence[Result]], None]


@dataclass(frozen=True)
class CrashPointOptions:
    """The options of the command."""

    target: Path | None = None
    how: How = "kill"
    lanes: int | None = None
    seed: int = 1
    rate: float = RATE  # events a second
    only: tuple[str, ...] = ()  # texts; a point that contains none of them is left out
    runs: Path = Path("runs")


def crash_points(asked: CrashPointOptions, write: Write) -> int:
    """Play all points, and return the exit code.

    Raises InputError for options that cannot be used, TargetError for a target that fails without any fault.
    """
    if asked.how not in HOWS:
        raise InputError(f"expected --how {'|'.join(HOWS)}, got {asked.how!r}")
    path, began = resources.target(asked.target), time.monotonic()
    manifest, show = manifests.load(path), PlainReporter()
    environments.programs(manifest, path.resolve().parent, show.print)  # before the lanes: it may take minutes
    folder = asked.runs / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}-crash_points-{manifest.name}"
    count = asked.lanes or min(MOST_LANES, len(os.sched_getaffinity(0)))
    done: dict[Point, PointTrial] = {}
    with TrialLanes(count, asked.how, asked.seed, path, folder, asked.rate) as lanes:
        show.print(f"starting servers, and noting every message of {manifest.name} under load")
        survey = lanes.survey()
        points = _chosen(survey, asked.only)
        show.print(f"{plural.counted(len(points), 'points')}, one trial each, on {plural.counted(count, 'lanes')}")
        try:
            _play(lanes, points, done, show)
        finally:  # after an interruption: what is known so far
            tried = tuple(done[point] for point in points if point in done)
            found = Verdicts(
                manifest.name, asked.how, survey, tried, tuple(point for point in points if point not in done)
            )
            _tell(found, time.monotonic() - began, write, partial(_save, folder, found, asked.seed, show))
    _remove_passed(found)
    return found.exit_code


def _chosen(survey: Survey, only: Sequence[str]) -> list[Point]:
    """The points that contain one of these texts; all without any. Raises InputError when none is left."""
    told = {point: f"{point.process} {point.service} {point.place}" for point in survey.points}
    chosen = [point for point, text in told.items() if not only or any(each in text for each in only)]
    if not chosen:
        known = "; ".join(told.values())
        raise InputError(f"expected --only with a text of a point, got {', '.join(only)}: the points are {known}")
    return chosen


def _play(lanes: TrialLanes, points: Sequence[Point], done: dict[Point, PointTrial], show: PlainReporter) -> None:
    """One trial for each point, and another for those that told nothing."""
    told = time.monotonic()
    for _ in range(TRIES):
        left = [point for point in points if point not in done or done[point].verdict is Verdict.UNKNOWN]
        for trial in lanes.play(left):
            done[trial.point] = trial
            if trial.verdict is Verdict.FAILED:
                show.print(f"FAILED  {trial.point.told(trial.how)}: {', '.join(trial.failed)}")
            if time.monotonic() - told >= EVERY_S:
                told = time.monotonic()
                show.print(f"{len(done)} of {plural.counted(len(points), 'points')}")


def _tell(found: Verdicts, seconds: float, write: Write, save: Callable[[], None]) -> None:
    with ExitStack() as ending:  # from the last to the first: each happens, even if nobody reads the output
        ending.callback(save)
        ending.callback(lambda: write(found.results()))
        table.show(found, seconds)


def _save(folder: Path, found: Verdicts, seed: int, show: PlainReporter) -> None:
    """Write the page, or say why there is none. Raises HarnessError."""
    try:
        from shaketable.crash_points import page
    except ToolchainMissing as e:
        show.print(f"no page: {e}")
    else:
        show.print(f"points: {page.write(folder, found, seed)}")


def _remove_passed(found: Verdicts) -> None:
    """Keep the run directories of the points that did not pass."""
    for trial in (*found.passed, *found.unreached):
        if trial.run is not None:
            shutil.rmtree(trial.run, ignore_errors=True)
