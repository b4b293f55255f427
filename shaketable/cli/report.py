"""`shaketable report`: write the page of a saved run."""

from __future__ import annotations

from shaketable.cli.saved_run import LATEST, RunPath


def report(run_dir: RunPath = LATEST) -> int:
    """Write the report of a saved run: report.html, one file that opens offline."""
    from shaketable import rundir
    from shaketable.report.page import page

    run = rundir.find(run_dir)
    with rundir.judging(run.path):
        print(page.report(run))
    return 0
