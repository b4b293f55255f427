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
            help="Names (see `shaketable list`) or files; NAME@20 plays one at 20 events/s.",
            metavar="SCENARIO",
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(help="A manifest, or a name such as celery-hardened.", show_default="the reference"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Run every scenario except the nightly ones.")] = False,
    nightly: Annotated[bool, typer.Option("--nightly", help="Run every scenario, including the nightly ones.")] = False,
    profile: Annotated[
        str | None, typer.Option(help="Run a profile: quick (5 minutes) or nightly (an hour).", metavar="NAME")
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help="Run each scenario N times with consecutive seeds and report the confidence bound.", min=1, metavar="N"
        ),
    ] = None,
    budget: Budgets = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of corpus, schedule and resends.", show_default="the scenario's")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Reuse the corpus, schedule and timeline of an earlier run.", metavar="RUN_DIR")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder for run directories.")] = Path("runs"),
    port_base: Annotated[
        int | None, typer.Option(help="First of 64 loopback ports.", show_default="the first free block")
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
    """Run one or more scenarios against a target and report the verdict.

    Several scenarios run one after another and end with one table; the exit code is the worst of them. If one cannot
    run, the others still do.
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
