"""`shaketable capacity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.ci_options import GitHub, Json, JUnit
from shaketable.cli.durations import seconds
from shaketable.cli.outputs import Outputs


def capacity(
    target: Annotated[
        Path | None,
        typer.Option(help="A manifest, or a name such as celery-hardened.", show_default="the reference"),
    ] = None,
    first: Annotated[float, typer.Option("--from", help="The first rate to try, in events a second.", min=1)] = 50,
    each: Annotated[str, typer.Option("--each", help="How long to send at each rate: 8s, 1m.", metavar="TIME")] = "8s",
    acknowledged_within_s: Annotated[
        float, typer.Option("--acknowledged-within", help="Seconds; 99 of 100 events must be in time.", min=0.001)
    ] = 1.0,
    stored_within_s: Annotated[
        float, typer.Option("--stored-within", help="Seconds; 99 of 100 events must be in time.", min=0.001)
    ] = 5.0,
    seed: Annotated[int, typer.Option(help="Seed of corpus and schedule.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the curve and the runs.")] = Path("runs/capacity"),
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
) -> int:
    """Find the highest rate that a target sustains, and that of the load generator itself.

    The rate is doubled until events are lost or late, then narrowed down to a tenth. Each rate is a run without faults.
    Afterwards the same load goes to an intake that stores nothing: a target cannot be measured beyond that rate.
    """
    from shaketable.capacity import command

    outputs = Outputs(json, junit, github)
    outputs.prepare()
    budgets = acknowledged_within_s, stored_within_s
    asked = command.CapacityOptions(target, first, seconds(each), *budgets, out, seed)
    return command.capacity(asked, outputs.write)
