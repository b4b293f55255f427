"""`shaketable compare`: several targets under the same scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.machine_options import Jobs, On, ResultsUrl
from shaketable.errors import InputError


def compare(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Manifests, or names: `reference` and the targets of alternatives/.",
            metavar="[TARGET]...",
            show_default="the reference and all of alternatives/",
        ),
    ] = None,
    scenarios: Annotated[
        str,
        typer.Option(
            help="Names or files, comma-separated; NAME@20 plays one at 20 events/s.",
            show_default="calm and six kinds of faults",
        ),
    ] = "",
    trials: Annotated[int, typer.Option(help="Runs per target and scenario.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the first trial; later trials count up.")] = 1,
    runs: Annotated[Path, typer.Option(help="Folder of the comparison; finished cells are reused.")] = Path(
        "runs/compare"
    ),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run finished cells again, e.g. after a change of the processor's code.")
    ] = False,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with the worst exit code of all runs.")] = False,
    port_base: Annotated[
        int | None, typer.Option(help="First of 64 loopback ports.", show_default="the first free block")
    ] = None,
    jobs: Jobs = None,
    on: On = "",
    results: ResultsUrl = "",
) -> int:
    """Run several processors under the same scenarios, events, times and seeds, and compare them on one page.

    You can interrupt a comparison and resume it. The exit code is 0 whatever the verdicts are, unless --gate is given.
    """
    from shaketable.cells.machines import Machines
    from shaketable.compare import comparison, player

    machines = Machines.of(jobs, on, results)
    if machines and port_base is not None:
        raise InputError("expected --port-base without --jobs or --on: each cell takes the first free block")

    chosen = tuple(name.strip() for name in scenarios.split(",") if name.strip()) or comparison.SCENARIOS
    return player.compare(
        player.CompareOptions(
            tuple(targets or ()), chosen, trials, seed, runs, fresh, gate, port_base, machines=machines
        )
    )
