"""The command line. One `main` decides the exit code.

0 passed, 1 failed, 2 unknown, 254 bad arguments or input, 255 the harness failed or was interrupted.

A traceback would exit 1 and a usage error 2, which here mean a verdict; so neither may reach the shell by itself.
"""

from __future__ import annotations

import errno
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, cast

import typer

from shaketable.errors import Interrupted, ShaketableError

BAD_INPUT, HARNESS_FAILED = 254, 255
#: What the surroundings may do to us.
NO_BUG = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
#: What the CLI library makes of a KeyboardInterrupt.
CLI_INTERRUPTED = 130

app = typer.Typer(
    name="shaketable",
    help="Does your event pipeline keep its promise when things break? Load it, shake it, judge it.\n\n"
    "Exit codes: 0 passed, 1 failed, 2 unknown, 254 bad arguments or input, 255 the harness failed or was interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunPath = Annotated[Path, typer.Argument(metavar="[RUN_DIR]", help="A run's folder.")]
LATEST = Path("runs/latest")


@app.command()
def run(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="Names (see `shaketable list`) or files.", metavar="SCENARIO")
    ] = None,
    target: Annotated[Path | None, typer.Option(help="The processor's manifest.", show_default="the reference")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every scenario there is, but for the nightly ones.")] = False,
    nightly: Annotated[bool, typer.Option("--nightly", help="Every scenario, the nightly ones too.")] = False,
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
    json: Annotated[
        Path | None, typer.Option(help="Write the table of several scenarios here too.", metavar="FILE")
    ] = None,
    stack: Annotated[
        str,
        typer.Option(
            help="What it stands on: local (needs no Docker), containers (testcontainers), compose "
            "(docker-compose.chaos.yml), given (yours, by URL).",
            metavar="local|containers|compose|given",
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
    from shaketable.commands import run as command
    from shaketable.commands import run_many
    from shaketable.stacks import Choice, Kind
    from shaketable.stacks.services import Given

    if stack == "given":
        given = Given(postgres, redis, postgres_admin, toxiproxy, tuple(allow_remote or ()), allow_not_empty)
    else:
        given = Given(postgres, redis, postgres_admin)
    choice = Choice(cast(Kind, stack), given)
    options, asked = command.Options(target, runs, seed, replay, port_base, choice), scenarios or []
    if every or nightly:
        asked = run_many.names(asked, nightly)
    if len(asked) == 1 and json is None and not (every or nightly):
        return command.one(asked[0], options)
    return run_many.many(asked, options, json)


@app.command()
def check(run_dir: RunPath = LATEST) -> int:
    """Judge a saved run again: also one that was cut off half-way."""
    from shaketable.commands.check import check as command

    return command(run_dir)


@app.command()
def report(run_dir: RunPath = LATEST) -> int:
    """Write a saved run's page, report.html: one file, offline."""
    from shaketable.commands.report import report as command

    return command(run_dir)


@app.command()
def explain(
    check: Annotated[str, typer.Argument(metavar="[CHECK]", help="A check's name; all of them without one.")] = "",
    event: Annotated[
        str, typer.Option(help="Tell this event's life instead.", metavar="EVENT_ID", show_default=False)
    ] = "",
    run_dir: Annotated[Path, typer.Option("--run", help="In which run.", metavar="RUN_DIR")] = LATEST,
) -> int:
    """Say what a check's law is, its terms, the evidence it needs, and what it does not prove; or an event's life."""
    from shaketable.commands import explain as command

    return command.life(run_dir, event) if event else command.explain(check)


@app.command(name="list")
def list_() -> int:
    """Tell every scenario's story in a sentence, by what goes wrong in it, and name faults and checks."""
    from shaketable.commands.list import show

    return show()


@app.command()
def doctor(
    target: Annotated[Path | None, typer.Option(help="Read this processor's manifest too.")] = None,
) -> int:
    """Say what is here, what is missing and how to get it; builds Toxiproxy if it must."""
    from shaketable.commands.doctor import examine

    return examine(target)


@app.command()
def heal() -> int:
    """End all that killed runs left behind (servers, folders), and take back what they broke in servers not ours.

    Runs that are alive are left alone.
    """
    from shaketable.commands.heal import heal as command

    return command()


def main() -> None:
    """The console script."""
    sys.exit(guarded(lambda: app(standalone_mode=False)))


def guarded(command: object) -> int:
    """Run a command and turn all that can happen into the exit code, and one sentence on stderr."""
    assert callable(command)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = command()
        if code == CLI_INTERRUPTED:
            return _interrupted()
        return code if isinstance(code, int) else 0
    except ShaketableError as e:
        return _say(str(e), e.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except typer.Exit as e:
        return e.exit_code
    except SystemExit:  # the CLI library's way to end when a pipe is closed
        return _say("interrupted: nobody reads the output any more", Interrupted.exit_code)
    except Exception as e:
        if isinstance(e, OSError) and e.errno in NO_BUG:
            return _say(f"{e.filename or 'the disk'}: {e.strerror}: make room, or name another folder", HARNESS_FAILED)
        if callable(show := getattr(e, "show", None)):  # a usage error of the CLI library
            show()
            return BAD_INPUT
        traceback.print_exc()
        return _say("this is a bug in shaketable, not a verdict on the target", HARNESS_FAILED)


def _interrupted() -> int:
    return _say("interrupted: everything that was started is ended", Interrupted.exit_code)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(text: str, code: int) -> int:
    print(f"shaketable: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
