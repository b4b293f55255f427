"""`shaketable check`, `report` and `explain`: what can be done with a saved run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.gates import Budgets, GitHub, Json, JUnit

LATEST = Path("runs/latest")
RunPath = Annotated[Path, typer.Argument(metavar="[RUN_DIR]", help="A run's folder.")]


def check(
    run_dir: RunPath = LATEST,
    budget: Budgets = None,
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
) -> int:
    """Judge a saved run again: also one that was cut off half-way. Under a budget, what is in its folder stays."""
    from shaketable.cli.commands.check import check as command
    from shaketable.cli.commands.outputs import Outlets

    return command(run_dir, Outlets(json, junit, github), budget or [])


def report(run_dir: RunPath = LATEST) -> int:
    """Write a saved run's page, report.html: one file, offline."""
    from shaketable.cli.commands.report import report as command

    return command(run_dir)


def explain(
    check: Annotated[
        str, typer.Argument(metavar="[CHECK|RUN_DIR]", help="A check's name; all without one. With --event: the run.")
    ] = "",
    event: Annotated[
        str, typer.Option(help="Tell this event's life instead.", metavar="EVENT_ID", show_default=False)
    ] = "",
    run_dir: Annotated[
        Path, typer.Option("--run", help="In which run; --event ID RUN_DIR is the same.", metavar="RUN_DIR")
    ] = LATEST,
) -> int:
    """Say what a check's law is, its terms, the evidence it needs, and what it does not prove; or an event's life."""
    from shaketable.cli.commands import explain as command

    if event:
        return command.life(Path(check) if check and run_dir == LATEST else run_dir, event)
    return command.explain(check)
