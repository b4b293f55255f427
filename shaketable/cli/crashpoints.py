"""`shaketable crashpoints`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.ci_options import GitHub, Json, JUnit
from shaketable.cli.outputs import Outputs


def crashpoints(
    target: Annotated[
        Path | None,
        typer.Option(help="A manifest, or a name such as celery-hardened.", show_default="the reference"),
    ] = None,
    how: Annotated[
        str,
        typer.Option(
            help="kill: SIGKILL; term: SIGTERM; cut: reset the connection; freeze: SIGSTOP for longer than a lease.",
            metavar="kill|term|cut|freeze",
        ),
    ] = "kill",
    only: Annotated[
        list[str] | None,
        typer.Option(help='Only points that contain this text, such as "before COMMIT".', metavar="TEXT"),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(help="Trials at once, each on servers of its own.", min=1, show_default="one for each CPU"),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Events a second; lower it for a target that cannot sustain them.", min=1)
    ] = 60,
    seed: Annotated[int, typer.Option(help="Seed of corpus and schedule, the same for every point.")] = 1,
    runs: Annotated[Path, typer.Option(help="Folder for the runs of points that did not pass.")] = Path("runs"),
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
) -> int:
    """Break each process at every message that it exchanges with a service, and check every event.

    A run without a fault lists the messages, such as XADD and COMMIT. Then each point is one trial of seconds:
    the process is broken before the message reaches the service, or after the service has replied.
    """
    from shaketable.crash_points import command

    outputs = Outputs(json, junit, github)
    outputs.prepare()
    asked = command.CrashPointOptions(target, how, lanes, seed, rate, tuple(only or ()), runs)  # type: ignore[arg-type]
    return command.crash_points(asked, outputs.write)
