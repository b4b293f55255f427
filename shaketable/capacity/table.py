"""The curve at the terminal: a row for each rate, and sentences below."""

from __future__ import annotations

from shaketable.capacity.curve import Curve
from shaketable.capacity.step import Step
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell, Table, TableColumn

COLUMNS = (
    TableColumn("sent to"),
    TableColumn("rate", True, "/s"),
    TableColumn("sustained"),
    TableColumn("acknowledged", True, "/s"),
    TableColumn("stored", True, "/s"),
    TableColumn("intake p99", True, "ms"),
    TableColumn("late p99", True, "ms"),
)
#: The name of the steps without a target.
GENERATOR = "nothing"


def show(curve: Curve) -> None:
    """Print it."""
    print()
    tables.show(tables.terminal(), of(curve))


def of(curve: Curve) -> Table:
    """The table, by rate."""
    rows = [_row(curve.target, step) for step in sorted(curve.steps, key=lambda step: step.rate)]
    rows += [_row(GENERATOR, step) for step in sorted(curve.generator, key=lambda step: step.rate)]
    return Table(COLUMNS, rows, notes=["", *curve.sentences()])


def _row(where: str, step: Step) -> list[Cell]:
    said = {True: "yes", False: "no", None: "unknown"}[step.sustained]
    numbers = (step.rate, step.acknowledged_per_s, step.stored_per_s, step.intake_p99_ms, step.lateness_p99_ms)
    rate, *others = (None if number is None else f"{number:,.0f}" for number in numbers)
    return [where, rate, said, *others]
