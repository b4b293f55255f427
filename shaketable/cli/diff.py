"""`shaketable diff`: find regressions between two results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.ci_options import GitHub


def diff(
    old: Annotated[Path, typer.Argument(help="The baseline: a file of --json, a run directory, or a folder of runs.")],
    new: Annotated[Path, typer.Argument(help="The results to compare with it: the same kinds.")],
    github: GitHub = False,
) -> int:
    """Report regressions beyond the noise of the trials. Exit code 1 on a regression, 2 if it cannot be decided.

    Verdicts are always compared; figures need at least 3 trials on each side (`run --trials 3`).
    """
    from shaketable.report.ci import github as actions
    from shaketable.report.tables import regression
    from shaketable.results.regression import code, differences
    from shaketable.results.saved import results

    rows = differences(results(old), results(new))
    regression.show(rows)
    if github:
        for line in regression.commands(rows):
            print(line, flush=True)
        actions.append(regression.markdown(rows), os.environ)
    return code(rows)
