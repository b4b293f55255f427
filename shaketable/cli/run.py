"""`shaketable run`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shaketable.cli import stack_options
from shaketable.cli.ci_options import Badge, Budgets, GitHub, Json, JUnit
from shaketable.cli.machine_options import Jobs, On, ResultsUrl
from shaketable.cli.outputs import GrowingOutputs, Outputs
from shaketable.errors import InputError

if TYPE_CHECKING:
    from shaketable.cells.machines import Machines
    from shaketable.cli.playing import Player
    from shaketable.runner.order import Options


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
        str | None, typer.Option(help="Run a profile: quick (5 minutes) or nightly (75 minutes).", metavar="NAME")
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
    web: Annotated[bool, typer.Option("--web", help="Show the run live on a page, on loopback.")] = False,
    web_port: Annotated[
        int | None, typer.Option(help="Port of that page.", show_default="a free one", metavar="PORT")
    ] = None,
    load_workers: Annotated[
        int | None, typer.Option(help="Send the load from N processes on this machine.", min=1, metavar="N")
    ] = None,
    load_master: Annotated[
        str, typer.Option(help="Accept Locust workers started elsewhere at HOST:PORT.", metavar="ADDRESS")
    ] = "",
    expect_workers: Annotated[int | None, typer.Option(help="Wait for N such workers.", min=1, metavar="N")] = None,
    jobs: Jobs = None,
    on: On = "",
    results: ResultsUrl = "",
    one_of_many: Annotated[bool, typer.Option("--one-of-many", hidden=True)] = False,
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
    badge: Badge = None,
    stack: stack_options.Stack = "local",
    postgres: stack_options.Postgres = "",
    postgres_admin: stack_options.PostgresAdmin = "",
    redis: stack_options.Redis = "",
    toxiproxy: stack_options.Toxiproxy = "",
    allow_remote: stack_options.AllowRemote = None,
    allow_not_empty: stack_options.AllowNotEmpty = False,
) -> int:
    """Run one or more scenarios against a target and report the verdict.

    Several scenarios run one after another and end with one table; the exit code is the worst of them. If one cannot
    run, the others still do.
    """
    from shaketable.cells.machines import Machines
    from shaketable.cli import web as live
    from shaketable.load.distributed.workers import Workers
    from shaketable.runner import selection
    from shaketable.runner.order import Options

    choice = stack_options.choice(stack, postgres, postgres_admin, redis, toxiproxy, allow_remote, allow_not_empty)
    workers = Workers.of(load_workers, load_master, expect_workers, allow_remote or ())
    options = Options(target, runs, seed, replay, port_base, choice, tuple(budget or ()), workers)
    outputs = GrowingOutputs(json, junit, github, badge)
    outputs.prepare()  # first: files of an earlier run would pass for this one's
    machines = _machines(Machines.of(jobs, on, results), options, web)
    wanted = selection.times(scenarios or [], every=every, nightly=nightly, profile=profile, trials=trials)
    with live.player(web, web_port) as play:
        code = run_scenarios(wanted, options, outputs, play, machines, alone=not one_of_many)
    return worst(code, explore_after(profile, options, outputs)) if profile else code


def _machines(machines: Machines | None, options: Options, web: bool) -> Machines | None:
    """The same. Raises InputError for options that mean this machine, or this process."""
    here = {
        "--stack": options.stack.kind != "local",
        "--replay": options.replay is not None,
        "--port-base": options.port_base is not None,
        "--load-master": bool(options.workers and options.workers.elsewhere),
        "--web": web,
    }
    if machines and (given := [name for name, is_given in here.items() if is_given]):
        raise InputError(f"expected --jobs or --on without {given[0]}: a run elsewhere has a local stack of its own")
    return machines


def explore_after(profile: str, options: Options, outputs: Outputs) -> int:
    """Explore for as long as the profile says; with another seed each day, unless one is given."""
    from datetime import UTC, datetime

    from shaketable.explore import command
    from shaketable.explore.search import Request
    from shaketable.runner import profile as profiles

    seconds = profiles.find(profile).explore_s
    if not seconds:
        return 0
    if options.stack.kind != "local":
        print(f"no exploration: it needs --stack local, and this is --stack {options.stack.kind}")
        return 0
    seed = datetime.now(UTC).date().toordinal() if options.seed is None else options.seed
    asked = command.Exploration(options.target, options.runs / "found", seconds)
    return command.explore(asked, Request(seconds, seed), outputs.write)


def worst(*codes: int) -> int:
    """The worst exit code of several parts of a command."""
    from shaketable.results.result import BADNESS

    return max(codes, key=BADNESS.index)


def run_scenarios(
    wanted: Sequence[tuple[str, int]],
    options: Options,
    outputs: Outputs,
    play: Player | None = None,
    machines: Machines | None = None,
    alone: bool = True,
) -> int:
    """Play the scenarios, each as often as wanted: one run with all its details, several with a table at the end.

    On several machines, or unless it is `alone`, one run has a table too.

    Raises InputError, before the first is played, for an error in any of them.
    """
    from shaketable.cli import playing, playing_cells
    from shaketable.runner.order import order, under_budgets

    orders = under_budgets([order(name, options, n) for name, often in wanted for n in range(often)], options.budgets)
    if not orders:
        raise InputError("expected the name of a scenario, --all or a --profile: `shaketable list` shows them")
    if machines is not None:
        return playing_cells.many(orders, outputs, machines)
    player = play or playing.play
    one = alone and len(orders) == 1
    return playing.one(orders[0], outputs, player) if one else playing.many(orders, outputs, player)
