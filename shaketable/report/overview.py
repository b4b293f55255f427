"""The overview of several runs: one table, a row each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shaketable.check import Verdict
from shaketable.report.summary import STYLE
from shaketable.result import Result
from shaketable.verdict import FaultSeen

#: Columns of a table that nobody's terminal bounds: a pipe, a log.
WIDE = 400
#: Witnesses of a run that are shown.
FEW = 3
#: Of a fault that nobody saw.
MISSED = "DID NOT LAND"


@dataclass(frozen=True)
class Row:
    """What became of one scenario; None is what cannot be known."""

    scenario: str
    verdict: str  # passed, failed, unknown; error: there is none
    seconds: float  # all of it, set-up and judging too
    why: str = ""  # why there is no verdict
    witnesses: Sequence[str] = ()  # what showed that the faults landed
    recovery_s: float | None = None  # from the last healing until the backlog was gone
    refused: int | None = None  # attempts of well-formed events that were turned away: what clients suffered
    indeterminate: int | None = None  # and those of which they did not know
    acknowledged: int | None = None
    stored: int | None = None
    lost: int | None = None
    run: str = ""  # its directory


def row(run: Result) -> Row:
    """The row of one result."""
    figures, lost = run.figures, run.checks["no_loss"].counts.get("lost") if "no_loss" in run.checks else None
    return Row(
        run.title, run.verdict, run.seconds or 0, run.why, witnesses=witnesses(run.faults),
        recovery_s=figures.get("heal_to_empty_backlog_s"), acknowledged=_whole(figures.get("acknowledged")),
        refused=_whole(figures.get("refused")), indeterminate=_whole(figures.get("indeterminate")),
        stored=_whole(figures.get("stored")), lost=_whole(lost), run=run.run,
    )  # fmt: skip


def witnesses(faults: Sequence[FaultSeen]) -> list[str]:
    """The witness's figure of each fault, the same ones counted; what did not land is said in capitals."""
    told = Counter(
        f"{f.figure:g} {f.unit}" if f.landed and f.figure is not None else "landed" if f.landed else MISSED
        for f in faults
    )
    return [f"{count}× {what}" if count > 1 else what for what, count in told.items()]


def show(runs: Sequence[Result], console: Console | None = None) -> None:
    """Print the table and what it comes to; in a pipe no line is wrapped."""
    console = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    rows = [row(run) for run in runs]
    console.print()
    console.print(table(rows))
    for each in rows:
        if each.why:
            console.print(f"{each.scenario}: {each.why}", soft_wrap=True, markup=False)
    verdicts = Counter(each.verdict for each in rows)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    noun = "run" if any(run.trial > 1 for run in runs) else "scenario"
    scenarios = f"{len(rows)} {noun}{'s' * (len(rows) != 1)}"
    console.print(f"\n{scenarios} in {sum(each.seconds for each in rows):.0f} s: {told or 'none was played'}")


def table(rows: Sequence[Row]) -> Table:
    """A row for each scenario."""
    made = Table(box=None, pad_edge=False, header_style="")
    numbers = ("recovery s", "refused", "indeterminate", "acknowledged", "stored", "lost", "seconds")
    for name in ("scenario", "verdict", "witnesses", *numbers, "run"):
        made.add_column(name, justify="right" if name in numbers else "left")
    for each in rows:
        bad = each.verdict in ("failed", "error", "interrupted")
        style = STYLE[Verdict(each.verdict)] if each.verdict in list(Verdict) else "bold red"
        made.add_row(
            each.scenario, Text(each.verdict.upper() if bad else each.verdict, style),
            Text(_first(each.witnesses) or "–"), _shown(each.recovery_s, 2), _shown(each.refused),
            _shown(each.indeterminate), _shown(each.acknowledged),
            _shown(each.stored), _shown(each.lost), f"{each.seconds:.0f}", Text(each.run or "–"),
        )  # fmt: skip
    return made


def _first(told: Sequence[str]) -> str:
    """The first few; the verdict has all. What did not land comes first."""
    told = sorted(told, key=lambda what: MISSED not in what)
    more = len(told) - FEW
    return "; ".join([*told[:FEW], *([f"{more} more"] if more > 0 else [])])


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _shown(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
