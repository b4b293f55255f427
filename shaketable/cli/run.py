"""`shaketable run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli import stands
from shaketable.cli.gates import Budgets, GitHub, Json, JUnit


def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names (see `shaketable list`) or files; NAME@20: at 20 events a second in place of its own rate.",
            metavar="SCENARIO",
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(help="The processor's manifest, or a name such as celery-hardened.", show_default="the reference"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every scenario there is, but for the nightly ones.")] = False,
    nightly: Annotated[bool, typer.Option("--nightly", help="Every scenario, the nightly ones too.")] = False,
    profile: Annotated[
        str | None, typer.Option(help="Those of a profile: quick (5 minutes), nightly (an hour).", metavar="NAME")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Each so often, from seed to seed, and what that proves.", min=1, metavar="N")
    ] = None,
    budget: Budgets = None,
    seed: Annotated[
        int | None, typer.Option(help="Of corpus, schedule and resends.", show_default="the scenario's")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Reuse this run's corpus, schedule and timeline exactly.", metavar="RUN_DIR")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where run directories are made.")] = Path("runs"),
    port_base: Annotated[
        int | None, typer.Option(help="First of 64 loopback ports to use.", show_default="the first free block")
    ] = None,
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
    stack: stands.Stack = "local",
    postgres: stands.Postgres = "",
    postgres_admin: stands.PostgresAdmin = "",
    redis: stands.Redis = "",
    toxiproxy: stands.Toxiproxy = "",
    allow_remote: stands.AllowRemote = None,
    allow_not_empty: stands.AllowNotEmpty = False,
) -> int:
    """Shake a target by a scenario, and judge it; by several: one after another, and a table at the end.

    The exit code is the worst there was. A scenario that cannot be played does not keep the others from it.
    """
    from shaketable.cli.commands import run_many, selection
    from shaketable.cli.commands.outputs import Outlets
    from shaketable.cli.commands.run import Options

    choice = stands.choice(stack, postgres, postgres_admin, redis, toxiproxy, allow_remote, allow_not_empty)
    options = Options(target, runs, seed, replay, port_base, choice, tuple(budget or ()))
    outlets = Outlets(json, junit, github)
    outlets.prepare()
    wanted = selection.times(scenarios or [], every=every, nightly=nightly, profile=profile, trials=trials)
    return run_many.shake(wanted, options, outlets)
