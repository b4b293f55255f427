"""`shaketable compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Manifests, or names: `reference`, those in alternatives/.",
            metavar="[TARGET]...",
            show_default="the reference and all of alternatives/",
        ),
    ] = None,
    scenarios: Annotated[
        str,
        typer.Option(
            help="Names or files, @RATE behind or not, separated by commas.",
            show_default="calm and six kinds of trouble",
        ),
    ] = "",
    trials: Annotated[int, typer.Option(help="Runs of each target under each scenario.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the first trial; each further one has the next.")] = 1,
    runs: Annotated[Path, typer.Option(help="The comparison's folder: what is there is kept.")] = Path("runs/compare"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Play again what is there: after the processor's own code changed.")
    ] = False,
    gate: Annotated[bool, typer.Option("--gate", help="End with the worst exit code of all runs.")] = False,
    port_base: Annotated[
        int | None, typer.Option(help="First of 64 loopback ports to use.", show_default="the first free block")
    ] = None,
) -> int:
    """Shake several processors by the same scenarios, events, times and seeds, and put them beside each other.

    It can be interrupted and goes on where it was. Exit code 0 when it ran, whatever it found: it is no gate.
    """
    from shaketable.cli.commands import compare as command
    from shaketable.compare import comparison

    chosen = tuple(name.strip() for name in scenarios.split(",") if name.strip()) or comparison.SCENARIOS
    return command.compare(command.Options(tuple(targets or ()), chosen, trials, seed, runs, fresh, gate, port_base))
