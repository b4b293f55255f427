"""`shaketable run`: shake once, judge, tell."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path

from shaketable import run, rundir, scenario
from shaketable.bundled import find
from shaketable.commands import check
from shaketable.live import LiveShow
from shaketable.run import Order
from shaketable.rundir import RunDir
from shaketable.stacks import Choice
from shaketable.status import PlainShow


@dataclasses.dataclass(frozen=True)
class Options:
    """What is asked for beside the scenario."""

    target: Path | None = None  # the manifest; None: the reference
    runs: Path = Path("runs")
    seed: int | None = None
    replay: Path | None = None
    port_base: int | None = None
    stack: Choice = Choice()


def one(name: str, options: Options) -> int:
    """Play one scenario, tell all of its verdict, and return its exit code."""
    directory = play(order(name, options))
    target = ["--target", str(options.target)] if options.target else []
    stack = ["--stack", options.stack.kind] if options.stack.kind != "local" else []
    return check.check(directory.path, page=True, asked=shlex.join([name, *target, *stack]))


def order(name: str, options: Options) -> Order:
    """What to play. Raises InputError for whatever cannot be."""
    earlier = rundir.find(options.replay) if options.replay else None
    asked = scenario.load(name)
    if earlier is not None:
        asked = scenario.replayed(asked, earlier)
    if options.seed is not None:
        asked = dataclasses.replace(asked, seed=options.seed)
    target = options.target or find("reference_impl/target.toml")
    return Order(asked.drawn(), target, options.runs, options.port_base, earlier, options.stack)


def play(order: Order) -> RunDir:
    """Play it before whoever watches."""
    with LiveShow() if sys.stdout.isatty() else PlainShow() as show:
        return run.run(order, show)
