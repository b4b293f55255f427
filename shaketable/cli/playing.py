"""Play one order or many for `shaketable run`: show each run, judge it, and write the results."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Sequence

from shaketable.checks.verdict import VerdictDoc
from shaketable.cli.outputs import Outputs
from shaketable.errors import NotPlayable, ShaketableError, unread
from shaketable.report import judging
from shaketable.report.terminal import overview, trials
from shaketable.results import result, unjudged
from shaketable.results.result import Result, collect
from shaketable.rundir import RunDir
from shaketable.runner import phases
from shaketable.runner.live import LiveReporter
from shaketable.runner.order import Order
from shaketable.runner.progress import PlainReporter, Reporter

#: Plays an order and returns its run directory.
Player = Callable[[Order], RunDir]


def play(order: Order, show: Reporter | None = None) -> RunDir:
    """Play the order; `show`, else the terminal or the pipe, shows the run's progress."""
    with show or reporter() as shown:
        return phases.run(order, shown)


def reporter() -> Reporter:
    """The reporter of this process's output: a table at a terminal, lines in a pipe."""
    return LiveReporter() if sys.stdout.isatty() else PlainReporter()


def one(order: Order, outputs: Outputs = Outputs(), play: Player = play) -> int:
    """Play one order, print its verdict in full, and return its exit code."""
    began, before = time.monotonic(), unjudged.latest(order.runs)

    def tell(doc: VerdictDoc) -> None:
        where, seconds = str(judging.shown(run.path)), time.monotonic() - began
        outputs.write([result.of(doc, doc.verdict.exit_code, run=where, seconds=seconds)])

    try:
        run = play(order)
        doc = judging.judge_and_print(run, tell, page=True)
    except (Exception, KeyboardInterrupt) as e:  # a bug in shaketable must appear in the files too
        outputs.write([unjudged.of(order, e, time.monotonic() - began, before)])
        raise
    return doc.verdict.exit_code


def many(orders: Sequence[Order], outputs: Outputs = Outputs(), play: Player = play) -> int:
    """Play all orders, print a table at the end, and return the worst exit code.

    An order that fails does not stop the others. An interruption does: the files then list the orders that were not
    played as interrupted too.
    """
    runs: list[Result] = []
    rest: list[Result] = []
    try:
        for number, order in enumerate(orders, 1):
            print(f"\n[{number}/{len(orders)}] {order.scenario.name}: {order.scenario.story}", flush=True)
            runs.append(_result(order, _trial(order, runs), play))
            if runs[-1].verdict == "interrupted":
                raise KeyboardInterrupt
    except (Exception, KeyboardInterrupt, SystemExit) as e:
        for order in orders[len(runs) :]:
            rest.append(unjudged.of(order, e, 0, unjudged.latest(order.runs), _trial(order, [*runs, *rest])))
        raise
    finally:
        try:
            overview.show(runs)
            trials.show(runs)
        finally:
            outputs.write([*runs, *rest])
    return collect(runs).exit_code


def _trial(order: Order, earlier: Sequence[Result]) -> int:
    """Which trial of its scenario this is, from 1."""
    return 1 + sum(run.scenario == order.scenario.name for run in earlier)


def _result(order: Order, trial: int, play: Player) -> Result:
    """Play and judge one order of many; an error becomes its result, so that the next order is played."""
    began, before = time.monotonic(), unjudged.latest(order.runs)
    try:
        run = play(order)
        doc = judging.judge_one_of_many(run)
    except NotPlayable as e:
        return unjudged.skipped(order, e, trial)
    except (Exception, KeyboardInterrupt, SystemExit) as e:  # a bug must not cost the other scenarios their verdicts
        if not isinstance(e, ShaketableError | KeyboardInterrupt) and not unread(e):
            traceback.print_exc()
        return unjudged.of(order, e, time.monotonic() - began, before, trial)
    seconds, where = time.monotonic() - began, str(judging.shown(run.path))
    return result.of(doc, doc.verdict.exit_code, run=where, trial=trial, seconds=seconds)
