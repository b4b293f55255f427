"""The one `main` of the scripts in reports/: run directories in, tables in a form of choice and an exit code out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from shaketable import rundir
from shaketable.checks.check import Check, Finding, Verdict, judge, worst
from shaketable.cli import LATEST, guarded
from shaketable.evidence.history import History
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Form, Table, TableColumn
from shaketable.text import escaped, in_a_line, number, visible


@dataclass(frozen=True)
class Report:
    """Tables by name, the finding of each law, and the verdict that decides the exit code."""

    verdict: Verdict
    tables: Mapping[str, Table] = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)
    why: str = ""  # there are none
    at_terminal: Mapping[str, Table] = field(default_factory=dict)  # in place of those that are too wide

    @property
    def text(self) -> str:
        """For a terminal."""
        shown = [tables.plain(table) for table in {**self.tables, **self.at_terminal}.values()]
        laws = [(name, found.verdict, in_a_line(_said(found))) for name, found in self.findings.items()]
        return "\n\n".join(filter(None, [*shown, tables.plain(Table([TableColumn()] * 3, laws)), in_a_line(self.why)]))

    @property
    def markdown(self) -> str:
        """For a pull request, a wiki."""
        parts = [f"**{name}**\n\n{tables.markdown(table)}" for name, table in self.told.items() if table.rows]
        return "\n\n".join([*parts, f"Verdict: **{self.verdict}**{f': {escaped(self.why)}' if self.why else ''}"])

    @property
    def told(self) -> dict[str, Table]:
        """The tables, and one of the laws."""
        laws = [{"row": name, "verdict": found.verdict, "found": _said(found)} for name, found in self.findings.items()]
        return {**self.tables, "laws": tables.of(laws, "law")}

    def to_json(self) -> dict[str, object]:
        """As data."""
        held = {name: tables.records(table) for name, table in self.tables.items()}
        return {"verdict": self.verdict, "why": self.why, "tables": held, "checks": self.findings}


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
        found: dict[str, Report] = {}
        for name, run in runs.items():
            with rundir.judging(run.path):
                found[name] = report(History.load(run))
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
    return tables.json({"schema": 1, "verdict": _worst(found), "runs": runs})


def _csv(found: Mapping[str, Report]) -> str:
    return tables.csv(
        {"run": run, "table": name, "row": None} | row
        for run, each in found.items()
        for name, table in {**each.told, "verdict": tables.of([{"verdict": each.verdict, "found": each.why}])}.items()
        for row in tables.records(table)
    )


#: The writers of several runs' reports, by form.
WRITERS: dict[Form, Callable[[Mapping[str, Report]], str]] = {
    Form.TABLE: _table,
    Form.MD: _md,
    Form.JSON: _json,
    Form.CSV: _csv,
}


def _said(found: Finding) -> str:
    return found.why or ", ".join(f"{number(value)} {name.replace('_', ' ')}" for name, value in found.counts.items())
