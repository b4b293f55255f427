"""`shaketable diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.gates import GitHub


def diff(
    old: Annotated[Path, typer.Argument(help="The baseline: a file of --json, a run directory, or a folder of runs.")],
    new: Annotated[Path, typer.Argument(help="The results to compare with it: the same kinds.")],
    github: GitHub = False,
) -> int:
    """Report regressions beyond the noise of the trials. Exit code 1 on a regression, 2 if it cannot be decided.

    Verdicts are always compared; figures need at least 3 trials on each side (`run --trials 3`).
    """
    from shaketable.cli.commands.diff import diff as command

    return command(old, new, github)
