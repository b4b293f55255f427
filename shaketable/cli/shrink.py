"""`shaketable shrink`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.ci_options import GitHub, Json, JUnit
from shaketable.cli.durations import seconds
from shaketable.cli.outputs import Outputs
from shaketable.cli.saved_run import LATEST


def shrink(
    run_dir: Annotated[Path, typer.Argument(help="The folder of a run that failed.", metavar="[RUN_DIR]")] = LATEST,
    target: Annotated[
        Path | None, typer.Option(help="A manifest, or a name.", show_default="the run's, or the reference")
    ] = None,
    budget: Annotated[str, typer.Option(help="How long to shrink: 90s, 10m, 1h.", metavar="TIME")] = "10m",
    lanes: Annotated[
        int | None,
        typer.Option(help="Trials at once.", min=1, show_default="one for each CPU; 1 if a check of times failed"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the scenario.")] = Path("runs/found"),
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
) -> int:
    """Shrink a failed run to the smallest scenario that fails the same check.

    Fewer faults, shorter ones, fewer workers and fewer events are tried; the smallest scenario that still fails is
    confirmed on fresh servers and written to a file.
    """
    from shaketable.explore import command

    outputs = Outputs(json, junit, github)
    outputs.prepare()
    return command.shrink(command.Exploration(target, out, seconds(budget), lanes), run_dir, outputs.write)
