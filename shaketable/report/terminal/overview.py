"""The overview of several runs: one table, a row each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console

from shaketable import plural
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import FaultSeen
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell, Styled, Table, TableColumn
from shaketable.report.terminal.summary import STYLE
from shaketable.results.metrics import LOST, RECOVERY
from shaketable.results.result import Result
from shaketable.text import in_a_line, number

#: The most witnesses of a run.
FEW = 3
#: For a fault that did not land, and for one that nobody could see.
MISSED, UNSEEN = "DID NOT LAND", "NOT WITNESSED"


def witnesses(faults: Sequence[FaultSeen]) -> list[str]:
    """Each fault's witnessed figure, equal ones counted; capitals for a fault that was not seen to land."""
    told = Counter(map(_witness, faults))
    return [f"{count}× {what}" if count > 1 else what for what, count in told.items()]


def _witness(fault: FaultSeen) -> str:
    if not fault.landed:
        return MISSED if fault.landed is False else UNSEEN
    return "landed" if fault.figure is None else f"{number(fault.figure)} {fault.unit}"


def show(runs: Sequence[Result], console: Console | None = None) -> None:
    """Print the table and a summary; without wrapping in a pipe, with fewer columns at a narrow terminal."""
    console = console or tables.terminal()
    verdicts = Counter(run.verdict for run in runs)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    played = plural.counted(len(runs), "runs" if any(run.trial > 1 for run in runs) else "scenarios")
    total = f"{played} in {sum(run.seconds or 0 for run in runs):.0f} s: {told or 'none was played'}"
    console.print()
    wide = table(runs, notes=[*_remarks(runs), "", total])
    tables.show(console, wide, table(runs, FEW_COLUMNS, [*_remarks(runs, paths=True), "", total]))


def _remarks(runs: Sequence[Result], paths: bool = False) -> Iterator[str]:
    """Why a run has no verdict; the directories of those that did not pass, if asked for."""
    for run in runs:
        if remark := in_a_line(run.why) or (run.run if paths and run.verdict != "passed" else ""):
            yield f"{run.title}: {remark}"


#: Columns, with the cell of a run. FEW_COLUMNS fit a narrow terminal.
COLUMNS: dict[TableColumn, Callable[[Result], Cell]] = {
    TableColumn("scenario"): lambda run: run.title,
    TableColumn("verdict"): lambda run: _verdict(run),
    TableColumn("witnesses"): lambda run: _first(witnesses(run.faults)) or None,
    TableColumn("recovery", True, "s"): lambda run: None if (took := RECOVERY.of(run)) is None else f"{took:,.2f}",
    TableColumn("refused", True): lambda run: number(run.figures.get("refused")),
    TableColumn("indeterminate", True): lambda run: number(run.figures.get("indeterminate")),
    TableColumn("acknowledged", True): lambda run: number(run.figures.get("acknowledged")),
    TableColumn("stored", True): lambda run: number(run.figures.get("stored")),
    TableColumn("lost", True): lambda run: number(LOST.of(run)),
    TableColumn("seconds", True): lambda run: f"{run.seconds or 0:.0f}",
    TableColumn("machine"): lambda run: run.machine or None,
    TableColumn("run"): lambda run: run.run or None,
}
FEW_COLUMNS = ("scenario", "verdict", "recovery", "acknowledged", "lost", "seconds")


def table(runs: Sequence[Result], names: Sequence[str] = (), notes: Sequence[str] = ()) -> Table:
    """One row per run, with all columns unless some are named."""
    left_out = set() if any(run.machine for run in runs) else {"machine"}
    shown = set(names or (column.name for column in COLUMNS)) - left_out
    cells = {column: cell for column, cell in COLUMNS.items() if column.name in shown}
    return Table(tuple(cells), [[cell(run) for cell in cells.values()] for run in runs], notes=notes)


def _verdict(run: Result) -> Styled:
    bad = run.verdict in ("failed", "error", "interrupted")
    style = STYLE[Verdict(run.verdict)] if run.verdict in list(Verdict) else "bold red" if bad else "dim"
    return Styled(run.verdict.upper() if bad else run.verdict, style)


def _first(told: Sequence[str]) -> str:
    """The first few, faults that were not seen to land first; the verdict has all."""
    told = sorted(told, key=lambda what: not what.endswith((MISSED, UNSEEN)))
    more = len(told) - FEW
    return "; ".join([*told[:FEW], *([f"{more} more"] if more > 0 else [])])
