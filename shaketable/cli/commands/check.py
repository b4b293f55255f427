"""`shaketable check`: judge a saved run, and tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.checks import budget, verdict
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.cli.commands.outputs import Outlets
from shaketable.evidence import again
from shaketable.evidence.history import History
from shaketable.report.terminal import summary
from shaketable.results import result
from shaketable.rundir import RunDir

#: What the command line ends with.
EXIT = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 2, Verdict.NOT_APPLICABLE: 2}


def check(run_dir: Path, outlets: Outlets = Outlets(), budgets: Sequence[str] = ()) -> int:
    """Judge, write verdict.json anew, tell, and return the exit code; under budgets of its own it writes no verdict.

    Raises InputError for what is no run directory or budget, and HarnessError, after telling, for a disk that refuses.
    """
    outlets.prepare()
    run = rundir.find(run_dir)
    with rundir.judging(run.path):
        doc = _under(run, budgets) if budgets else judged(run)
    outlets.write([result.of(doc, EXIT[doc.verdict], run=str(shown(run.path)))])
    return EXIT[doc.verdict]


def _under(run: RunDir, budgets: Sequence[str]) -> VerdictDoc:
    """Judge by these budgets in place of the scenario's, and tell."""
    history = History.load(run)
    (specs,) = budget.apply([history.scenario.checks], budget.parse(budgets))
    asked = msgspec.structs.replace(history.scenario, checks=specs)
    doc = verdict.judge_history(dataclasses.replace(history, scenario=asked))
    _tell(run, doc)
    return doc


def judged(run: RunDir, page: bool = False) -> VerdictDoc:
    """Judge, write verdict.json anew, and the page if asked, and tell."""
    doc = verdict.judge_history(History.load(run))
    try:
        write(run, doc, page)
    finally:
        _tell(run, doc, page)
    return doc


def _tell(run: RunDir, doc: VerdictDoc, page: bool = False) -> None:
    summary.show(doc, shown(run.path), page, again.command(run, doc.scenario), again.needs(run))


def write(run: RunDir, doc: VerdictDoc, page: bool) -> None:
    """Into the run directory. Raises HarnessError."""
    rundir.write_json(run / rundir.VERDICT, doc)
    if page:
        from shaketable.report.page import page as report_page  # what draws takes long to load: not before a run

        report_page.report(run)


def shown(path: Path) -> Path:
    """The path as people would type it from here."""
    return Path(again.shown(path))
