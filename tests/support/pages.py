"""Every page but a run's: a small one of each, with a text from elsewhere in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from shaketable import faults
from shaketable.capacity import page as capacity_page
from shaketable.capacity.curve import Curve
from shaketable.capacity.step import Step
from shaketable.checks.check import Verdict
from shaketable.compare import page as compared_page
from shaketable.compare.comparison import PAGE
from shaketable.crash_points import page as points_page
from shaketable.crash_points.point import Point, When
from shaketable.crash_points.survey import Survey
from shaketable.crash_points.trial import PointTrial
from shaketable.crash_points.verdict import Verdicts
from shaketable.explore import page as explore_page
from shaketable.explore.coverage import Coverage
from shaketable.explore.found import Found
from shaketable.explore.lanes import Lanes
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.reduction import Reduction
from shaketable.explore.states import BANDS, State
from shaketable.explore.trial import Played
from tests.explore import scenarios
from tests.support.comparisons import hostile, read
from tools import kill_matrix
from tools.clean_runs import Clean
from tools.kill_matrix import Matrix, Row, Shot

#: The pages, and how the title of each begins.
PAGES = {
    "comparison": "Comparison: 1 of 3 processors lost events",
    "matrix": "failed: kill matrix",
    "exploration": "failed: exploration of ",
    "crash points": "failed: crash points of ",
    "capacity": "passed: capacity of ",
}


def write(folder: Path, text: str) -> dict[str, Path]:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    held = hostile(folder / "compare", text)
    (folder / "matrix.html").write_text(kill_matrix.page(matrix(text)))
    return {
        "comparison": compared_page.write(read(held), held.path / PAGE),
        "matrix": folder / "matrix.html",
        "exploration": explore_page.write(exploration(folder, text), 7, "failed"),
        "crash points": points_page.write(folder, crash_points(text), 1),
        "capacity": capacity_page.write(folder, curve(text)),
    }


def matrix(text: str) -> Matrix:
    """A bug that was caught, one that was missed, and a false alarm."""
    shot = Shot("caught", "failed", {f"check_{n}": "passed" for n in range(30)} | {"no_loss": "failed"})
    rows = [Row("loses_all", "no_loss", "calm", "", [shot]), Row(text, "no_loss", "calm", "", [])]
    return Matrix(1, rows, [Clean(text, "failed", {"no_loss": text})], 1)


def exploration(folder: Path, text: str) -> Reduction:
    """One finding, an unknown trial, and a coverage of a few states."""
    progress, coverage = ExplorationProgress(2, 60), Coverage()
    for breaker in ("CLOSED", "OPEN", text):
        for backlog in BANDS:
            state = State(("kill",), breaker, backlog, "shake")
            coverage.note(Played(scenarios.trial(), Verdict.PASSED, states=frozenset({state})))
    progress.note(Played(scenarios.trial(), Verdict.UNKNOWN, why=text))
    progress.note(Played(scenarios.trial(), Verdict.FAILED, ("no_loss",)))
    scenario = scenarios.trial(faults.Kill("worker-1"))
    one = Found("no_loss", scenario, 4, 6, text, 3, 20.4, 8, 41.2, folder / "found_no_loss.py", folder / "run")
    return Reduction(scenarios.MANIFEST, folder, cast(Lanes, None), progress, found=[one], coverage=coverage)


def crash_points(text: str) -> Verdicts:
    """A hole, a point that passed, one that was not reached, and messages that cannot be read."""
    told: list[tuple[str, When, Verdict, bool]] = [
        ("XDEL", "before", Verdict.PASSED, True),
        ("XDEL", "after", Verdict.FAILED, True),
        (text, "before", Verdict.FAILED, True),
        ("COMMIT", "after", Verdict.UNKNOWN, False),
    ]
    trials: list[Any] = []
    for message, when, verdict, reached in told:
        point, failed = Point("worker-1", "redis", message, when), verdict is Verdict.FAILED
        trials.append(PointTrial(point, "kill", verdict, reached, ("no_loss",) * failed, text * failed))
    points = tuple(trial.point for trial in trials)
    return Verdicts(text, "kill", Survey(points, dict.fromkeys(points, 1200), (("api", "nats", text),)), tuple(trials))


def curve(text: str) -> Curve:
    """A sustained rate, one above it that was not, and the load generator's."""
    steps = [Step(100, True, 99.0, 98.5, 12.0, 3.0, run="a"), Step(1200, False, 180.0, 120.0, 900.0, 5.0, text, "b")]
    return Curve(text, steps, [Step(2400, True, 2399.0, lateness_p99_ms=4.0, run="c")], 8, 1, 5)
