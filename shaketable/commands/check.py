"""`shaketable check`: judge a saved run, and tell."""

from __future__ import annotations

from pathlib import Path

from shaketable import rundir, verdict
from shaketable.check import Verdict
from shaketable.report import page as report_page
from shaketable.report import summary
from shaketable.verdict import VerdictDoc

#: What the command line ends with.
EXIT = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 2, Verdict.NOT_APPLICABLE: 2}


def check(run_dir: Path, page: bool = False, asked: str = "") -> int:
    """Judge, and tell. `asked` is what was typed after `shaketable run`, where it was more than the scenario's name."""
    doc = judge(run_dir, page)
    summary.show(doc, shown(rundir.find(run_dir).path), page, asked)
    return EXIT[doc.verdict]


def judge(run_dir: Path, page: bool = False) -> VerdictDoc:
    """Write verdict.json anew, and the page if asked. Raises RunDirError for what is no run directory."""
    run = rundir.find(run_dir)
    doc = verdict.judge_run(run)
    if page:
        report_page.report(run)
    return doc


def shown(path: Path) -> Path:
    """The path as people would type it from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
