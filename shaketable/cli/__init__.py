"""The command line: one file a command. Heavy modules are imported in the functions, so that `--help` stays fast.

0 passed, 1 failed, 2 unknown, 254 bad arguments or input, 255 the harness failed or was interrupted: `guard` decides.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from shaketable.cli.capacity import capacity
from shaketable.cli.check import check
from shaketable.cli.compare import compare
from shaketable.cli.crashpoints import crashpoints
from shaketable.cli.diff import diff
from shaketable.cli.doctor import doctor
from shaketable.cli.explain import explain
from shaketable.cli.explore import explore
from shaketable.cli.guard import guarded
from shaketable.cli.heal import heal
from shaketable.cli.init import init
from shaketable.cli.list import list_
from shaketable.cli.report import report
from shaketable.cli.run import run
from shaketable.cli.saved_run import LATEST
from shaketable.cli.shrink import shrink
from shaketable.cli.up import up

__all__ = ["LATEST", "app", "guarded", "main"]

app = typer.Typer(
    name="shaketable",
    help="Test an event processor's at-least-once promise: send load, inject faults, check every event.\n\n"
    "Exit codes: 0 passed, 1 failed, 2 unknown, 254 bad arguments or input, 255 the harness failed or was interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
#: In the order of the help; a new command is one file and one name here.
for command in (
    run,
    explore,
    shrink,
    crashpoints,
    capacity,
    check,
    report,
    explain,
    diff,
    compare,
    list_,
    init,
    up,
    doctor,
    heal,
):
    app.command(name=command.__name__.strip("_"))(command)


@app.callback(invoke_without_command=True)
def _options(
    asked: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if asked:
        print(f"shaketable {version('shaketable')}")
        raise typer.Exit


def main() -> None:
    """The console script."""
    if sys.flags.optimize > 1:  # it strips docstrings: the laws that `explain` prints, and the help texts
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONOPTIMIZE"}
        os.execve(sys.executable, [sys.executable, "-P", "-m", "shaketable.cli", *sys.argv[1:]], kept)
    sys.exit(guarded(lambda: app(standalone_mode=False)))
