"""`shaketable run` with several scenarios: one after another, and one table at the end."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence

from shaketable.checks import verdict
from shaketable.cli.commands import check
from shaketable.cli.commands.outputs import Outlets
from shaketable.cli.commands.run import Options, latest, one, order, play, under_budgets, without_verdict
from shaketable.errors import InputError, ShaketableError
from shaketable.evidence.history import History
from shaketable.report.terminal import overview, summary, trials
from shaketable.results import result
from shaketable.results.result import Result, collect
from shaketable.runner.phases import Order


def shake(asked: Sequence[tuple[str, int]], options: Options, outlets: Outlets) -> int:
    """Play what is asked for, so often each: one run with all that can be told of it, several with a table at the end.

    Raises InputError before the first is played for what is wrong with any of them.
    """
    orders = under_budgets([order(name, options, n) for name, often in asked for n in range(often)], options.budgets)
    if not orders:
        raise InputError("expected the name of a scenario, --all or a --profile: `shaketable list` shows them")
    return one(orders[0], outlets) if len(orders) == 1 else many(orders, outlets)


def many(orders: Sequence[Order], outlets: Outlets = Outlets()) -> int:
    """Play them all, whatever becomes of each, and return the worst exit code.

    An interruption ends it: those that are not played any more are told as interrupted too, to all but the terminal.
    """
    runs: list[Result] = []
    rest: list[Result] = []
    try:
        for number, each in enumerate(orders, 1):
            print(f"\n[{number}/{len(orders)}] {each.scenario.name}: {each.scenario.story}", flush=True)
            runs.append(_one(each, _trial(each, runs)))
            if runs[-1].verdict == "interrupted":
                raise KeyboardInterrupt
    except (Exception, KeyboardInterrupt) as e:
        for each in orders[len(runs) :]:
            rest.append(without_verdict(each, e, 0, latest(each.runs), _trial(each, [*runs, *rest])))
        raise
    finally:
        overview.show(runs)
        trials.show(runs)
        outlets.write([*runs, *rest])
    return collect(runs).exit_code


def _trial(asked: Order, earlier: Sequence[Result]) -> int:
    """Which trial of its scenario it is, from 1."""
    return 1 + sum(run.scenario == asked.scenario.name for run in earlier)


def _one(asked: Order, trial: int) -> Result:
    """Play and judge one. What goes wrong becomes its result, for the others are to be played too."""
    began, before = time.monotonic(), latest(asked.runs)
    try:
        directory = play(asked)
        doc = verdict.judge_history(History.load(directory))
        summary.headline(doc)
        check.write(directory, doc, page=True)
    except (ShaketableError, KeyboardInterrupt) as e:
        return without_verdict(asked, e, time.monotonic() - began, before, trial)
    except Exception as e:  # a bug of ours must not take the others' verdicts with it
        traceback.print_exc()
        return without_verdict(asked, e, time.monotonic() - began, before, trial)
    seconds, run = time.monotonic() - began, str(check.shown(directory.path))
    return result.of(doc, check.EXIT[doc.verdict], run=run, trial=trial, seconds=seconds)
