"""`shaketable explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.ci_options import GitHub, Json, JUnit
from shaketable.cli.durations import seconds
from shaketable.cli.machine_options import Jobs, On, ResultsUrl
from shaketable.cli.outputs import Outputs


def explore(
    target: Annotated[
        Path | None,
        typer.Option(help="A manifest, or a name such as celery-hardened.", show_default="the reference"),
    ] = None,
    budget: Annotated[str, typer.Option(help="How long to draw trials: 90s, 10m, 1h.", metavar="TIME")] = "10m",
    seed: Annotated[
        int | None,
        typer.Option(help="Draw the same trials again, from the first.", show_default="go on where the last one ended"),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(help="Trials at once, each on servers of its own.", min=1, show_default="one for each CPU"),
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--faults", help="Draw these kinds of faults only.", metavar="KIND")
    ] = None,
    first: Annotated[bool, typer.Option("--first", help="Stop at the first finding.")] = False,
    jobs: Jobs = None,
    on: On = "",
    results: ResultsUrl = "",
    share: Annotated[str, typer.Option("--share", hidden=True)] = "",
    out: Annotated[Path, typer.Option(help="Folder for the scenarios that it finds.")] = Path("runs/found"),
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
) -> int:
    """Search for the fault schedule that breaks a target, and shrink it to the smallest one.

    Each trial plays drawn faults for a few seconds and checks every event: lost, duplicated, out of order, changed,
    invented, wrongly refused. A failure is shrunk, confirmed on fresh servers, and written as a scenario.

    Faults of disks are drawn where a C compiler is installed, faults of clocks with the extra `clock`.
    """
    from shaketable.cells.machines import Machines
    from shaketable.explore import command
    from shaketable.explore.search import Request
    from shaketable.explore.share import ALL, TrialShare

    machines = Machines.of(jobs, on, results)
    outputs = Outputs(json, junit, github)
    outputs.prepare()
    part = TrialShare.parse(share) if share else ALL
    request = Request(seconds(budget), seed, first, frozenset(kinds or ()), share=part)
    asked = command.Exploration(target, out, request.budget_s, lanes, machines, one_of_many=bool(share))
    return command.explore(asked, request, outputs.write)
