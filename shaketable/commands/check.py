"""`shaketable check`: judge a saved run, and tell."""

from __future__ import annotations

from pathlib import Path

from shaketable import rundir, verdict
from shaketable.check import Verdict
from shaketable.report import summary

#: What the command line ends with.
EXIT = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 2, Verdict.NOT_APPLICABLE: 2}


def check(run_dir: Path) -> int:
    """Write verdict.json anew and print it. Raises RunDirError for a folder that is no run directory."""
    run = rundir.find(run_dir)
    doc = verdict.judge_run(run)
    summary.show(doc, _shown(run.path))
    return EXIT[doc.verdict]


def _shown(path: Path) -> Path:
    """The path as people would type it from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
