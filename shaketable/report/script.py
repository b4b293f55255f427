"""The one `main` of the scripts in reports/: a run directory in, tables and an exit code out."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import pandas as pd
import typer

from shaketable import rundir
from shaketable.check import Check, Finding, Verdict, judge, worst
from shaketable.cli import LATEST, guarded
from shaketable.commands.check import EXIT
from shaketable.history import History

#: Characters that a table may be wide.
WIDTH = 100


@dataclass(frozen=True)
class Report:
    """A text, and the verdict that decides the exit code."""

    verdict: Verdict
    text: str


def main(report: Callable[[History], Report], about: str) -> NoReturn:
    """Report on the run directory that is named, `runs/latest` by default; exits with its verdict's code."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command(help=f"{about}\n\nExit codes: 0 passed, 1 failed, 2 unknown, 254 bad input, 255 the harness failed.")
    def command(run_dir: Annotated[Path, typer.Argument(metavar="[RUN_DIR]", help="A run's folder.")] = LATEST) -> int:
        found: Report = report(History.load(rundir.find(run_dir)))
        print(f"{found.text}\n\n{found.verdict}")
        return EXIT[found.verdict]

    sys.exit(guarded(lambda: app(standalone_mode=False)))


def shown(table: pd.DataFrame) -> str:
    """A table as text, folded where it is wider than `WIDTH`; "" for an empty one."""
    return table.to_string(line_width=WIDTH, na_rep="-") if len(table) else ""


def judged(history: History, checks: Sequence[Check]) -> tuple[Verdict, str]:
    """The worst verdict of some checks, and a line for each: its verdict, and its counts or why."""
    findings = {check.name: judge(check, history) for check in checks}
    lines = [_line(name, found) for name, found in findings.items()]
    return worst([found.verdict for found in findings.values()]), "\n".join(lines)


def _line(name: str, found: Finding) -> str:
    said = f"{name:<23}{found.verdict:<16}{found.why or _counts(found.counts)}"
    return textwrap.fill(said, WIDTH, subsequent_indent=" " * 39)


def _counts(counts: dict[str, int | float]) -> str:
    return ", ".join(f"{value:g} {name.replace('_', ' ')}" for name, value in counts.items())
