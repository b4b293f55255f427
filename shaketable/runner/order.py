"""Orders: a scenario on a target, made of a scenario's name and the other options."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from shaketable import resources, rundir
from shaketable.checks import CHECKS, budget
from shaketable.checks.budget import Spec
from shaketable.errors import InputError
from shaketable.evidence.again import TypedCommand
from shaketable.load.distributed.workers import Workers
from shaketable.rundir import RunDir
from shaketable.runner import scenario
from shaketable.runner.scenario import Scenario
from shaketable.stack.choice import Choice
from shaketable.stack.external_services import VARIABLES
from shaketable.stack.stack import StackSource


@dataclass(frozen=True)
class Order:
    """One run to play: a scenario, a target, a stack, and the folder of its run directory."""

    scenario: Scenario
    target: Path  # the manifest
    runs: Path = Path("runs")
    port_base: int | None = None
    replay: RunDir | None = None  # whose corpus and schedule are used again
    stack: StackSource = Choice()
    asked: TypedCommand | None = None  # as it was typed
    budgets: tuple[str, ...] = ()  # NAME=VALUE each, which replaced those of the scenario's checks
    workers: Workers | None = None  # of the load; None: one process


@dataclass(frozen=True)
class Options:
    """The options other than the scenario's name."""

    target: Path | None = None  # the manifest; None: the reference
    runs: Path = Path("runs")
    seed: int | None = None
    replay: Path | None = None
    port_base: int | None = None
    stack: Choice = Choice()
    budgets: tuple[str, ...] = ()  # NAME=VALUE each, in place of the scenario's
    workers: Workers | None = None  # of the load; None: one process


def order(name: str, options: Options, nth: int = 0) -> Order:
    """The order for a scenario's name; the nth trial has the nth seed after the first.

    Raises InputError (ScenarioError, ManifestError) for a name or an option that cannot be used.
    """
    earlier = rundir.find(options.replay) if options.replay else None
    found = scenario.load(name)
    if earlier is not None:
        found = scenario.replayed(found, earlier)
        if nth:
            raise InputError(
                "expected --trials or --replay, not both: a replay has one seed, so more trials would repeat it"
            )
    made = order_of(found, options, nth)
    return dataclasses.replace(made, replay=earlier, asked=_typed(name, options))


def order_of(found: Scenario, options: Options, nth: int = 0) -> Order:
    """The order for a scenario that is at hand. Raises InputError."""
    if not found.name:
        raise InputError('expected a scenario with a name, for its run directory: Scenario(name="…", …)')
    scenario.register_kinds(found)
    seed = found.seed if options.seed is None else options.seed
    drawn = dataclasses.replace(found, seed=seed + nth).drawn()
    target = resources.target(options.target)
    return Order(drawn, target, options.runs, options.port_base, stack=options.stack, workers=options.workers)


def under_budgets(orders: Sequence[Order], budgets: Sequence[str]) -> list[Order]:
    """The orders with these budgets in place of their scenarios' own. Raises InputError."""
    if not budgets:
        return list(orders)
    named = [[CHECKS.to_spec(check) for check in order.scenario.checks] for order in orders]
    under = budget.apply(named, budget.parse(budgets))
    return [_judged_by(order, specs, budgets) for order, specs in zip(orders, under, strict=True)]


def _judged_by(order: Order, specs: list[Spec], budgets: Sequence[str]) -> Order:
    """The order under those of the budgets that are of its scenario's checks: alone it would refuse the others."""
    checks = tuple(CHECKS.from_spec(spec) for spec in specs)
    scenario = dataclasses.replace(order.scenario, checks=checks)
    known, named = budget.known(), {check.name for check in checks}
    own = tuple(text for text in budgets if known[text.partition("=")[0]].check in named)
    foreign = {text for text in budgets if text not in own}
    asked = dataclasses.replace(order.asked, options=_without(order.asked.options, foreign)) if order.asked else None
    return dataclasses.replace(order, scenario=scenario, budgets=own, asked=asked)


def _without(options: Sequence[str], budgets: Collection[str]) -> tuple[str, ...]:
    """The words without `--budget TEXT` of these texts."""
    dropped = {n for n, word in enumerate(options) if word in budgets and options[n - 1 : n] == ("--budget",)}
    return tuple(word for n, word in enumerate(options) if n not in dropped and n + 1 not in dropped)


def _typed(name: str, options: Options) -> TypedCommand:
    """The words after `shaketable run`, with absolute paths; without the services' URLs, which hold passwords."""
    target = ["--target", _target(options.target)] if options.target else []
    stack, given = ["--stack", options.stack.kind] if options.stack.kind != "local" else [], options.stack.given
    stack += [word for host in given.allow_remote for word in ("--allow-remote", host)]
    stack += ["--allow-not-empty"] * given.allow_not_empty
    budgets = [part for text in options.budgets for part in ("--budget", text)]
    workers = options.workers.options() if options.workers else []
    words = [scenario.typed(name), *target, *stack, *budgets, *workers]
    readable = [os.fsencode(word).decode("utf-8", "replace") for word in words]  # a file name may be no UTF-8
    return TypedCommand(readable[0], tuple(readable[1:]), tuple(VARIABLES[option] for option in given.named()))


def _target(named: Path) -> str:
    return str(named.resolve() if resources.is_file(named) else named)
