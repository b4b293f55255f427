"""`shaketable run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

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
    stack: Annotated[
        str,
        typer.Option(
            help="What it stands on: local (needs no Docker), containers (testcontainers), compose "
            "(docker-compose.chaos.yml), given (yours, by URL).",
            metavar="KIND",
        ),
    ] = "local",
    postgres: Annotated[
        str, typer.Option(help="Given: Postgres, as the target's role.", metavar="URL", envvar="SHAKETABLE_POSTGRES")
    ] = "",
    postgres_admin: Annotated[
        str,
        typer.Option(
            help="Given: the same database, as the harness's role.",
            metavar="URL",
            envvar="SHAKETABLE_POSTGRES_ADMIN",
            show_default="--postgres",
        ),
    ] = "",
    redis: Annotated[str, typer.Option(help="Given: Redis or Valkey.", metavar="URL", envvar="SHAKETABLE_REDIS")] = "",
    toxiproxy: Annotated[
        str,
        typer.Option(
            help="Given: a Toxiproxy 2.12 on this machine.",
            metavar="URL",
            envvar="TOXIPROXY_URL",
            show_default="one of the run's own",
        ),
    ] = "",
    allow_remote: Annotated[
        list[str] | None, typer.Option(help="Given: a host beyond loopback that may be broken.", metavar="HOST")
    ] = None,
    allow_not_empty: Annotated[
        bool, typer.Option("--allow-not-empty", help="Given: the database or Redis may hold something already.")
    ] = False,
) -> int:
    """Shake a target by a scenario, and judge it; by several: one after another, and a table at the end.

    The exit code is the worst there was. A scenario that cannot be played does not keep the others from it.
    """
    from shaketable.commands import asked, run_many
    from shaketable.commands.outlets import Outlets
    from shaketable.commands.run import Options
    from shaketable.stacks import Choice, Kind
    from shaketable.stacks.services import Given

    if stack == "given":
        given = Given(postgres, redis, postgres_admin, toxiproxy, tuple(allow_remote or ()), allow_not_empty)
    else:
        given = Given(postgres, redis, postgres_admin)
    choice = Choice(cast(Kind, stack), given)
    options = Options(target, runs, seed, replay, port_base, choice, tuple(budget or ()))
    outlets = Outlets(json, junit, github)
    outlets.prepare()
    wanted = asked.times(scenarios or [], every=every, nightly=nightly, profile=profile, trials=trials)
    return run_many.shake(wanted, options, outlets)
