"""`shaketable check`, `report` and `explain`: what can be done with a saved run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.gates import Budgets, GitHub, Json, JUnit

LATEST = Path("runs/latest")
RunPath = Annotated[Path, typer.Argument(metavar="[RUN_DIR]", help="A run directory.")]


def check(
    run_dir: RunPath = LATEST,
    budget: Budgets = None,
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
) -> int:
    """Check a saved run again, complete or interrupted. With --budget, the run's own verdict.json stays unchanged."""
    from shaketable.cli.commands.check import check as command
    from shaketable.cli.commands.outputs import Outlets

    return command(run_dir, Outlets(json, junit, github), budget or [])


def report(run_dir: RunPath = LATEST) -> int:
    """Write the report of a saved run: report.html, one file that opens offline."""
    from shaketable.cli.commands.report import report as command

    return command(run_dir)


def explain(
    check: Annotated[
        str, typer.Argument(metavar="[CHECK|RUN_DIR]", help="A check; default: all. With --event: a run directory.")
    ] = "",
    event: Annotated[
        str, typer.Option(help="Print the trace of this event instead.", metavar="EVENT_ID", show_default=False)
    ] = "",
    run_dir: Annotated[
        Path, typer.Option("--run", help="The run of --event; `--event ID RUN_DIR` is the same.", metavar="RUN_DIR")
    ] = LATEST,
) -> int:
    """Print a check's law, its terms, the evidence it needs and its limits; or, with --event, the trace of an event."""
    from shaketable.cli.commands import explain as command

    if event:
        return command.life(Path(check) if check and run_dir == LATEST else run_dir, event)
    return command.explain(check)
