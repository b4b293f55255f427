"""`shaketable run`: shake once, judge, tell."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from shaketable import resources, rundir
from shaketable.checks import CHECKS, budget
from shaketable.checks.budget import Spec
from shaketable.cli.commands import check
from shaketable.cli.commands.outputs import Outlets
from shaketable.errors import HarnessError, InputError, Interrupted, ShaketableError
from shaketable.evidence.again import TypedCommand
from shaketable.results import result
from shaketable.results.result import Ending, Result
from shaketable.rundir import RunDir
from shaketable.runner import phases, scenario
from shaketable.runner.live import LiveShow
from shaketable.runner.phases import Order
from shaketable.runner.progress import PlainShow
from shaketable.stack.choice import Choice
from shaketable.stack.services import VARIABLES


@dataclasses.dataclass(frozen=True)
class Options:
    """What is asked for beside the scenario."""

    target: Path | None = None  # the manifest; None: the reference
    runs: Path = Path("runs")
    seed: int | None = None
    replay: Path | None = None
    port_base: int | None = None
    stack: Choice = Choice()
    budgets: tuple[str, ...] = ()  # NAME=VALUE each, in place of the scenario's


def one(asked: Order, outlets: Outlets = Outlets()) -> int:
    """Play one scenario, tell all of its verdict, and return its exit code."""
    began, before = time.monotonic(), latest(asked.runs)
    try:
        directory = play(asked)
        doc = check.judged(directory, page=True)
    except (Exception, KeyboardInterrupt) as e:  # a bug of ours must leave its word in the files too
        outlets.write([without_verdict(asked, e, time.monotonic() - began, before)])
        raise
    code = check.EXIT[doc.verdict]
    outlets.write([result.of(doc, code, run=str(check.shown(directory.path)), seconds=time.monotonic() - began)])
    return code


def _typed(name: str, options: Options) -> TypedCommand:
    """What stood after `shaketable run`, a file with its whole path; no URLs of services, which hold passwords."""
    named = options.target
    target = ["--target", str(named.resolve() if resources.is_file(named) else named)] if named else []
    stack, given = ["--stack", options.stack.kind] if options.stack.kind != "local" else [], options.stack.given
    stack += [word for host in given.allow_remote for word in ("--allow-remote", host)]
    stack += ["--allow-not-empty"] * given.allow_not_empty
    budgets = [part for text in options.budgets for part in ("--budget", text)]
    words = [scenario.typed(name), *target, *stack, *budgets]
    told = [os.fsencode(word).decode("utf-8", "replace") for word in words]  # of a name that is no UTF-8, what can be
    return TypedCommand(told[0], tuple(told[1:]), tuple(VARIABLES[option] for option in given.named()))


def order(name: str, options: Options, nth: int = 0) -> Order:
    """What to play; the nth trial has the nth seed after the first. Raises InputError for whatever cannot be."""
    earlier = rundir.find(options.replay) if options.replay else None
    asked = scenario.load(name)
    if earlier is not None:
        asked = scenario.replayed(asked, earlier)
        if nth:
            raise InputError(
                "expected --trials or --replay, not both: a replay has one seed, so more trials would repeat it"
            )
    seed = asked.seed if options.seed is None else options.seed
    asked = dataclasses.replace(asked, seed=seed + nth)
    target = resources.target(options.target)
    return Order(asked.drawn(), target, options.runs, options.port_base, earlier, options.stack, _typed(name, options))


def under_budgets(orders: Sequence[Order], budgets: Sequence[str]) -> list[Order]:
    """The orders with these budgets in place of their scenarios' own. Raises InputError."""
    if not budgets:
        return list(orders)
    named = [[CHECKS.to_spec(check) for check in order.scenario.checks] for order in orders]
    under = budget.apply(named, budget.parse(budgets))
    return [_judged_by(order, specs) for order, specs in zip(orders, under, strict=True)]


def _judged_by(order: Order, specs: list[Spec]) -> Order:
    checks = tuple(CHECKS.from_spec(spec) for spec in specs)
    return dataclasses.replace(order, scenario=dataclasses.replace(order.scenario, checks=checks))


def play(order: Order) -> RunDir:
    """Play it before whoever watches."""
    with LiveShow() if sys.stdout.isatty() else PlainShow() as show:
        return phases.run(order, show)


def without_verdict(asked: Order, error: BaseException, seconds: float, before: Path | None, trial: int = 1) -> Result:
    """The result of a run that came to none; `before` was the newest run when it began."""
    ending: Ending = "error"
    if isinstance(error, KeyboardInterrupt):
        ending, why, code = "interrupted", "", Interrupted.exit_code
    elif isinstance(error, ShaketableError):
        why, code = str(error), error.exit_code
    else:
        why, code = f"a bug in shaketable: {type(error).__name__}: {error}", HarnessError.exit_code
    after = latest(asked.runs)
    return Result(
        scenario=asked.scenario.name,
        verdict=ending,
        exit_code=code,
        seed=asked.scenario.seed,
        trial=trial,
        seconds=round(seconds, 1),
        why=why,
        story=asked.scenario.story,
        run="" if after in (None, before) else str(check.shown(after)),
    )


def latest(runs: Path) -> Path | None:
    """The newest run there."""
    link = runs / rundir.LATEST
    return link.resolve() if link.exists() else None
