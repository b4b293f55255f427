"""`shaketable diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.gates import GitHub


def diff(
    old: Annotated[Path, typer.Argument(help="The baseline: a file of --json, a run's folder, or a folder of runs.")],
    new: Annotated[Path, typer.Argument(help="What is judged by it: the same.")],
    github: GitHub = False,
) -> int:
    """Say what is worse than it was, beyond the noise of the trials: 1 if anything is, 2 if that cannot be said.

    Verdicts are compared always; figures from 3 trials on either side (`run --trials 3`).
    """
    from shaketable.cli.commands.diff import diff as command

    return command(old, new, github)
