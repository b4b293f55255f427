"""The result at the terminal: a row for each point, and sentences below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shaketable import plural
from shaketable.checks.check import Verdict
from shaketable.crash_points.frames.wire import CHUNK
from shaketable.crash_points.trial import PointTrial
from shaketable.crash_points.verdict import Verdicts
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell, Styled, Table, TableColumn
from shaketable.report.terminal.summary import STYLE

COLUMNS = (
    TableColumn("process"),
    TableColumn("service"),
    TableColumn("point"),
    TableColumn("times", True),
    TableColumn("verdict"),
    TableColumn("checks that failed", missing=""),
)


def show(found: Verdicts, seconds: float) -> None:
    """Print the table, the holes, the points that tell nothing, and the totals."""
    print()
    tables.show(tables.terminal(), of(found, ["", *_notes(found, seconds)]))


def of(found: Verdicts, notes: Sequence[str] = ()) -> Table:
    """The table. Column `times`: how often the message passed in the survey."""
    return Table(COLUMNS, [_row(found, trial) for trial in found.trials], notes=notes)


def _row(found: Verdicts, trial: PointTrial) -> list[Cell]:
    point = trial.point
    times = found.survey.counts.get(point)
    return [point.process, point.service, point.place, times, _verdict(trial), ", ".join(trial.failed) or None]


def _verdict(trial: PointTrial) -> Cell:
    if trial.reached is False and trial.verdict is not Verdict.FAILED:
        return "not reached"
    return Styled(str(trial.verdict), STYLE[trial.verdict])


def _notes(found: Verdicts, seconds: float) -> Iterator[str]:
    yield from (f"{sentence}." for sentence in found.holes())
    for trial in found.failed:
        yield f"  {trial.point.told(trial.how)}: {trial.why}{f' ({trial.run})' if trial.run else ''}"
    yield from not_judged(found)
    points, reached = plural.counted(len(found.trials), "points"), len(found.trials) - len(found.unreached)
    counts = f"{reached} reached, {len(found.failed)} failed, {len(found.unknown)} unknown"
    yield f"{found.target}: {points}, {counts}, in {seconds:.0f} s"


def not_judged(found: Verdicts) -> Iterator[str]:
    """The points and messages that tell nothing, a sentence each."""
    for trial in found.unreached:
        yield f"Not reached: {trial.point.place} of {trial.point.process}: no such message came in its trial."
    for trial in found.unknown:
        yield f"Unknown: {trial.point.told(trial.how)}: {trial.why}"
    for process, service, why in found.survey.opaque:
        yield f"Not read: messages between {process} and {service}: {why}."
    if any(trial.point.message == CHUNK for trial in found.trials):
        yield "A chunk is what arrived at once: shaketable reads the messages of PostgreSQL and Redis only."
