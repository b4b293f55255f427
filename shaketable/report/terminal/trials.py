"""Several trials of a scenario: the number that passed, the ranges of the metrics, and the confidence bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console

from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Table, TableColumn
from shaketable.results import confidence
from shaketable.results.metrics import METRICS, span
from shaketable.results.result import Result

Trials = dict[str, list[Result]]


def show(runs: Sequence[Result], console: Console | None = None) -> None:
    """Print the table and the bounds of scenarios with several trials; nothing without any."""
    if several := repeated(runs):
        console = console or tables.terminal()
        notes = ["", *(f"{name}: {proved(trials)}" for name, trials in several.items()), f"({confidence.ASSUMPTION})"]
        console.print()
        tables.show(console, table(several, notes), narrow(several, notes))


def repeated(runs: Sequence[Result]) -> Trials:
    """The runs by scenario, in the order of the first run; without scenarios of one run."""
    found: Trials = {}
    for run in runs:
        found.setdefault(run.scenario, []).append(run)
    return {name: trials for name, trials in found.items() if len(trials) > 1}


def table(several: Trials, notes: Sequence[str] = ()) -> Table:
    """A row for each scenario."""
    columns = (
        TableColumn("trials"),
        TableColumn("passed"),
        *(TableColumn(each.name, True, each.unit) for each in METRICS),
    )
    return Table(columns, [[name, *_ranges(trials).values()] for name, trials in several.items()], notes=notes)


def narrow(several: Trials, notes: Sequence[str] = ()) -> Table:
    """One row per known metric."""
    rows = [
        ("" if number else name, what, told)
        for name, trials in several.items()
        for number, (what, told) in enumerate(_ranges(trials).items())
        if told != "–"
    ]
    return Table(tuple(map(TableColumn, ("trials", "what", "range"))), rows, notes=notes)


def _ranges(trials: Sequence[Result]) -> dict[str, str]:
    """The number of passed trials, and the range of each metric."""
    values = {
        f"{measure.name} {measure.unit}": [value for run in trials if (value := measure.of(run)) is not None]
        for measure in METRICS
    }
    return {"passed": f"{passed(trials)} of {len(trials)}"} | {name: span(found) for name, found in values.items()}


def passed(trials: Sequence[Result]) -> int:
    """The number of passed trials."""
    return sum(run.verdict == "passed" for run in trials)


def proved(trials: Sequence[Result]) -> str:
    """The failure rate or its confidence bound; trials without a verdict do not count."""
    return "; ".join(_proved(trials))


def _proved(trials: Sequence[Result]) -> Iterator[str]:
    failed = sum(run.verdict == "failed" for run in trials)
    judged = failed + passed(trials)
    yield f"failed {failed} of {judged} trials" if failed else f"failed: {confidence.told(judged)}"
    if judged < len(trials):
        yield f"{len(trials) - judged} not judged"
