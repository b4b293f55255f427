"""Judge a saved run, write its verdict and its page, and print the verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.checks import budget, verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.errors import ToolchainMissing
from shaketable.evidence import again
from shaketable.evidence.history import History
from shaketable.report.terminal import summary
from shaketable.rundir import RunDir


def judge(run: RunDir, *, page: bool = False) -> VerdictDoc:
    """Judge the run, and write verdict.json, and report.html with `page`. Raises HarnessError."""
    doc = verdict.judge_history(History.load(run))
    write(run, doc, page=page)
    return doc


def judge_and_print(run: RunDir, tell: Callable[[VerdictDoc], object], *, page: bool = False) -> VerdictDoc:
    """Judge the run, write the same files, print the verdict, and pass it to `tell`.

    The verdict is printed even when the disk refuses the files, and told even when nobody reads it. Raises HarnessError
    when the disk refuses a file.
    """
    doc, has_page = verdict.judge_history(History.load(run)), False
    try:
        has_page = write(run, doc, page=page)
    finally:
        try:
            _print(run, doc, page=has_page)
        finally:
            tell(doc)
    return doc


def judge_with_budgets(run: RunDir, budgets: Sequence[str], tell: Callable[[VerdictDoc], object]) -> VerdictDoc:
    """Judge and print the run with these budgets in place of its scenario's, and `tell` the verdict. Writes nothing."""
    history = History.load(run)
    (specs,) = budget.apply([history.scenario.checks], budget.parse(budgets))
    scenario = msgspec.structs.replace(history.scenario, checks=specs, budgets=list(budgets))
    doc = verdict.judge_history(dataclasses.replace(history, scenario=scenario))
    try:
        _print(run, doc)
    finally:
        tell(doc)
    return doc


def judge_one_of_many(run: RunDir) -> VerdictDoc:
    """Judge the run, print its headline, and write verdict.json and report.html."""
    doc = verdict.judge_history(History.load(run))
    try:
        summary.headline(doc)
    finally:
        write(run, doc, page=True)
    return doc


def write(run: RunDir, doc: VerdictDoc, *, page: bool) -> bool:
    """Write the verdict, and the page, into the run directory; False if there is no page. Raises HarnessError."""
    rundir.write_json(run / rundir.VERDICT, doc)
    if page:
        try:
            from shaketable.report.page import page as report_page  # Bokeh takes long to load: not before a run
        except ToolchainMissing as e:
            print(f"no report.html: {e}")
            return False
        report_page.report(run)
    return page


def shown(path: Path) -> Path:
    """The path as you would type it from here."""
    return Path(again.shown(path))


def _print(run: RunDir, doc: VerdictDoc, *, page: bool = False) -> None:
    summary.show(doc, shown(run.path), page, again.command(run, doc.scenario), again.needs(run))
