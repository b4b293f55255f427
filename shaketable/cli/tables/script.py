"""The one `main` of the scripts in reports/: run directories in, tables in a form of choice and an exit code out."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NoReturn

import pandas as pd
import typer

from shaketable import rundir
from shaketable.checks.check import Check, Finding, Verdict, judge, worst
from shaketable.cli import LATEST, guarded
from shaketable.evidence.history import History
from shaketable.report.ci.github import escaped
from shaketable.report.tables import forms
from shaketable.report.tables.forms import WIDTH, Form
from shaketable.text import in_a_line, visible


@dataclass(frozen=True)
class Report:
    """Tables by name, the finding of each law, and the verdict that decides the exit code."""

    verdict: Verdict
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)
    why: str = ""  # there are none
    beside: str = ""  # the table that is transposed at a terminal, so that it fits

    @property
    def text(self) -> str:
        """For a terminal."""
        shown = (forms.text(table.T if name == self.beside else table) for name, table in self.tables.items())
        lines = "\n".join(_line(name, found) for name, found in self.findings.items())
        return "\n\n".join(filter(None, [*shown, lines, in_a_line(self.why)]))

    @property
    def markdown(self) -> str:
        """For a pull request, a wiki."""
        parts = [f"**{name}**\n\n{forms.markdown(table)}" for name, table in self.told.items() if len(table)]
        return "\n\n".join([*parts, f"Verdict: **{self.verdict}**{f': {escaped(self.why)}' if self.why else ''}"])

    @property
    def told(self) -> dict[str, pd.DataFrame]:
        """The tables, and one of the laws."""
        laws = {name: {"verdict": str(found.verdict), "found": _said(found)} for name, found in self.findings.items()}
        return {**self.tables, "laws": pd.DataFrame.from_dict(laws, orient="index").rename_axis("law")}

    @property
    def whole(self) -> dict[str, pd.DataFrame]:
        """With the verdict as a table too: for a form that has only rows."""
        return {**self.told, "verdict": pd.DataFrame([{"verdict": str(self.verdict), "found": self.why}])}

    def to_json(self) -> dict[str, object]:
        """As data."""
        tables = {name: forms.records(table) for name, table in self.tables.items()}
        return {"verdict": self.verdict, "why": self.why, "tables": tables, "checks": self.findings}


def main(report: Callable[[History], Report], about: str) -> NoReturn:
    """Report on the run directories that are named, `runs/latest` by default; exits with the worst verdict's code."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command(help=f"{about}\n\nExit codes: 0 passed, 1 failed, 2 unknown, 254 bad input, 255 the harness failed.")
    def command(
        run_dirs: Annotated[
            list[Path] | None, typer.Argument(metavar="[RUN_DIR]...", help="Run directories.", show_default=str(LATEST))
        ] = None,
        form: Annotated[Form, typer.Option("--format", help="Output format.")] = Form.TABLE,
    ) -> int:
        runs = {str(path): rundir.find(path) for path in run_dirs or [LATEST]}
        found = {name: report(History.load(run)) for name, run in runs.items()}
        print(WRITERS[form](found))
        return _worst(found).exit_code

    sys.exit(guarded(lambda: app(standalone_mode=False)))


def judged(history: History, checks: Sequence[Check]) -> tuple[Verdict, dict[str, Finding]]:
    """The worst verdict of some checks, and the finding of each."""
    findings = {check.name: judge(check, history) for check in checks}
    return worst([found.verdict for found in findings.values()]), findings


def _worst(found: Mapping[str, Report]) -> Verdict:
    return worst([each.verdict for each in found.values()])


def _table(found: Mapping[str, Report]) -> str:
    told = [
        f"{f'{visible(run)}:{chr(10)}{chr(10)}' * (len(found) > 1)}{each.text}\n\n{each.verdict}"
        for run, each in found.items()
    ]
    return "\n\n\n".join([*told, *([f"worst: {_worst(found)}"] if len(found) > 1 else [])])


def _md(found: Mapping[str, Report]) -> str:
    return "\n\n".join(f"## {escaped(Path(run).resolve().name)}\n\n{each.markdown}" for run, each in found.items())


def _json(found: Mapping[str, Report]) -> str:
    runs = [{"run": run, **each.to_json()} for run, each in found.items()]
    return forms.json({"schema": 1, "verdict": _worst(found), "runs": runs})


def _csv(found: Mapping[str, Report]) -> str:
    return forms.csv(
        *(({"run": run, "table": name}, table) for run, each in found.items() for name, table in each.whole.items())
    )


#: The writers of several runs' reports, by form.
WRITERS: dict[Form, Callable[[Mapping[str, Report]], str]] = {
    Form.TABLE: _table,
    Form.MD: _md,
    Form.JSON: _json,
    Form.CSV: _csv,
}


def _line(name: str, found: Finding) -> str:
    said = f"{name:<23}{found.verdict:<16}{in_a_line(_said(found))}"
    return textwrap.fill(said, WIDTH, subsequent_indent=" " * 39)


def _said(found: Finding) -> str:
    return found.why or ", ".join(f"{value:g} {name.replace('_', ' ')}" for name, value in found.counts.items())
