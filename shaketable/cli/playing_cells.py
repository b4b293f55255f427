"""Play many orders on several machines for `shaketable run`: each is a command of its own."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shaketable import rundir
from shaketable.cells.machines import Machines
from shaketable.cli.outputs import Outputs
from shaketable.errors import HarnessError
from shaketable.report import judging
from shaketable.report.terminal import overview, trials
from shaketable.results import unjudged
from shaketable.results.result import Result, Results, collect
from shaketable.rundir import RunDir
from shaketable.runner.order import Order
from shaketable.text import in_a_line

if TYPE_CHECKING:
    from shaketable.cells.session import FinishedCell

#: The file of a cell's result, in its folder.
TABLE = "table.json"


def many(orders: Sequence[Order], outputs: Outputs, machines: Machines) -> int:
    """Play all orders, print a table at the end, and return the worst exit code.

    A lost order is an error in the table. After an interruption the files list the orders without a result, too.
    """
    from shaketable.cells import session

    found: dict[int, Result] = {}
    rest: list[Result] = []
    try:
        with session.opened(machines, orders[0].runs) as opened:
            for done in opened.play([opened.task(*_cell(order)) for order in orders]):
                found[done.number] = _result(orders, done)
                _print(len(found), len(orders), found[done.number])
    except (Exception, KeyboardInterrupt) as e:
        rest = [_unplayed(orders, number, e) for number in range(len(orders)) if number not in found]
        raise
    finally:
        runs = [found[number] for number in sorted(found)]
        try:
            overview.show(runs)
            trials.show(runs)
        finally:
            outputs.write([*runs, *rest])
    return collect(runs).exit_code


def _cell(order: Order) -> tuple[str, list[str]]:
    """Digest and command. A run is always played anew, so the digest is of this run of the command."""
    from shaketable.cells.task import OUT

    assert order.asked is not None
    given = ["--seed", str(order.scenario.seed), "--one-of-many", "--runs", OUT, "--json", f"{OUT}/{TABLE}"]
    words = ["run", order.asked.scenario, *order.asked.options, *given]
    return hashlib.sha256(msgspec.json.encode([*words, secrets.token_hex(8)])).hexdigest()[:24], words


def _result(orders: Sequence[Order], done: FinishedCell) -> Result:
    order = orders[done.number]
    if done.folder is None or not (done.folder / TABLE).exists():
        lost = _unplayed(orders, done.number, HarnessError(done.why))
        return msgspec.structs.replace(lost, machine=done.machine)
    [found] = rundir.read_json(done.folder / TABLE, Results).runs
    where = _kept(done.folder / Path(found.run).name, order.runs) if found.run else ""
    return msgspec.structs.replace(found, trial=_trial(orders, done.number), run=where, machine=done.machine)


def _kept(run: Path, runs: Path) -> str:
    from shaketable.cells import session

    return str(judging.shown(session.moved(RunDir(run), runs).path))


def _unplayed(orders: Sequence[Order], number: int, error: BaseException) -> Result:
    return unjudged.of(orders[number], error, 0, unjudged.latest(orders[number].runs), _trial(orders, number))


def _trial(orders: Sequence[Order], number: int) -> int:
    """Which trial of its scenario this is, from 1."""
    return 1 + sum(order.scenario.name == orders[number].scenario.name for order in orders[:number])


def _print(number: int, of: int, found: Result) -> None:
    why = f": {in_a_line(found.why)}" if found.why else ""
    print(f"[{number}/{of}] {found.title}: {found.verdict} on {found.machine or 'no machine'}{why}", flush=True)
