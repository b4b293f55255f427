"""The overview of several runs: one table, a row each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shaketable.checks.check import Verdict
from shaketable.checks.verdict import FaultSeen
from shaketable.report.terminal.summary import STYLE
from shaketable.results.result import Result
from shaketable.text import in_a_line, visible

#: Columns of a table without a terminal, in a pipe or a log.
WIDE = 400
#: The most witnesses of a run.
FEW = 3
#: For a fault without a witness.
MISSED = "DID NOT LAND"


@dataclass(frozen=True)
class ScenarioRow:
    """The result of one scenario; None is unknown."""

    scenario: str
    verdict: str  # passed, failed, unknown; error: there is none
    seconds: float  # total, with setup and judgement
    why: str = ""  # why there is no verdict
    witnesses: Sequence[str] = ()  # evidence that the faults landed
    recovery_s: float | None = None  # from the last healing until the backlog was empty
    refused: int | None = None  # refused attempts of well-formed events
    indeterminate: int | None = None  # indeterminate attempts of well-formed events
    acknowledged: int | None = None
    stored: int | None = None
    lost: int | None = None
    run: str = ""  # its directory


def row(run: Result) -> ScenarioRow:
    """The row of one result."""
    figures, lost = run.figures, run.checks["no_loss"].counts.get("lost") if "no_loss" in run.checks else None
    return ScenarioRow(
        run.title,
        run.verdict,
        run.seconds or 0,
        run.why,
        witnesses=witnesses(run.faults),
        recovery_s=figures.get("heal_to_empty_backlog_s"),
        acknowledged=_whole(figures.get("acknowledged")),
        refused=_whole(figures.get("refused")),
        indeterminate=_whole(figures.get("indeterminate")),
        stored=_whole(figures.get("stored")),
        lost=_whole(lost),
        run=run.run,
    )


def witnesses(faults: Sequence[FaultSeen]) -> list[str]:
    """Each fault's witnessed figure, equal ones counted; capitals for a fault that did not land."""
    told = Counter(
        f"{f.figure:g} {f.unit}" if f.landed and f.figure is not None else "landed" if f.landed else MISSED
        for f in faults
    )
    return [f"{count}× {what}" if count > 1 else what for what, count in told.items()]


def show(runs: Sequence[Result], console: Console | None = None) -> None:
    """Print the table and a summary; without wrapping in a pipe, with fewer columns at a narrow terminal."""
    console = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    rows = [row(run) for run in runs]
    wide = table(rows)
    console.print()
    console.print(wide if fits(console, wide) else table(rows, FEW_COLUMNS))
    for each in rows:
        if told := each.why or ("" if fits(console, wide) or each.verdict == "passed" else each.run):
            console.print(in_a_line(f"{each.scenario}: {told}"), soft_wrap=True, markup=False)
    verdicts = Counter(each.verdict for each in rows)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    noun = "run" if any(run.trial > 1 for run in runs) else "scenario"
    scenarios = f"{len(rows)} {noun}{'s' * (len(rows) != 1)}"
    console.print(f"\n{scenarios} in {sum(each.seconds for each in rows):.0f} s: {told or 'none was played'}")


#: Columns by name, with the text of a row's cell. FEW_COLUMNS fit a narrow terminal.
COLUMNS: dict[str, Callable[[ScenarioRow], str | Text]] = {
    "scenario": lambda row: Text(visible(row.scenario)),
    "verdict": lambda row: _verdict(row),
    "witnesses": lambda row: Text(visible(_first(row.witnesses)) or "–"),
    "recovery s": lambda row: _shown(row.recovery_s, 2),
    "refused": lambda row: _shown(row.refused),
    "indeterminate": lambda row: _shown(row.indeterminate),
    "acknowledged": lambda row: _shown(row.acknowledged),
    "stored": lambda row: _shown(row.stored),
    "lost": lambda row: _shown(row.lost),
    "seconds": lambda row: f"{row.seconds:.0f}",
    "run": lambda row: Text(visible(row.run) or "–"),
}
TEXTS = ("scenario", "verdict", "witnesses", "run")
FEW_COLUMNS = ("scenario", "verdict", "recovery s", "acknowledged", "lost", "seconds")


def table(rows: Sequence[ScenarioRow], columns: Sequence[str] = tuple(COLUMNS)) -> Table:
    """One row per scenario."""
    made = Table(box=None, pad_edge=False, header_style="")
    for name in columns:
        made.add_column(name, justify="left" if name in TEXTS else "right")
    for row in rows:
        made.add_row(*(COLUMNS[name](row) for name in columns))
    return made


def fits(console: Console, made: Table) -> bool:
    """Whether the table fits without wrapping or truncation."""
    return console.measure(made, options=console.options.update(max_width=WIDE)).maximum <= console.width


def _verdict(row: ScenarioRow) -> Text:
    bad = row.verdict in ("failed", "error", "interrupted")
    style = STYLE[Verdict(row.verdict)] if row.verdict in list(Verdict) else "bold red"
    return Text(row.verdict.upper() if bad else row.verdict, style)


def _first(told: Sequence[str]) -> str:
    """The first few, faults that did not land first; the verdict has all."""
    told = sorted(told, key=lambda what: MISSED not in what)
    more = len(told) - FEW
    return "; ".join([*told[:FEW], *([f"{more} more"] if more > 0 else [])])


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _shown(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
