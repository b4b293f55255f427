"""`shaketable report`: write the page of a saved run."""

from __future__ import annotations

from pathlib import Path

from shaketable import rundir
from shaketable.report.page.page import report as write


def report(run_dir: Path) -> int:
    """Write report.html and print where it is. Raises RunDirError for a folder that is no run directory."""
    run = rundir.find(run_dir)
    with rundir.judging(run.path):
        print(write(run))
    return 0
