"""Judge a saved run, write its verdict and its page, and print the verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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


def judge_and_print(run: RunDir, *, page: bool = False) -> VerdictDoc:
    """Judge the run, write the same files, and print the verdict.

    The verdict is printed even when the disk refuses the files. Raises HarnessError in that case.
    """
    doc = verdict.judge_history(History.load(run))
    try:
        page = write(run, doc, page=page)
    finally:
        _print(run, doc, page=page)
    return doc


def judge_with_budgets(run: RunDir, budgets: Sequence[str]) -> VerdictDoc:
    """Judge the run with these budgets in place of its scenario's, and print the verdict. Writes nothing."""
    history = History.load(run)
    (specs,) = budget.apply([history.scenario.checks], budget.parse(budgets))
    scenario = msgspec.structs.replace(history.scenario, checks=specs, budgets=list(budgets))
    doc = verdict.judge_history(dataclasses.replace(history, scenario=scenario))
    _print(run, doc)
    return doc


def judge_one_of_many(run: RunDir) -> VerdictDoc:
    """Judge the run, print its headline, and write verdict.json and report.html."""
    doc = verdict.judge_history(History.load(run))
    summary.headline(doc)
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
