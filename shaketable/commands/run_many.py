"""`shaketable run` with several scenarios: one after another, and one table at the end."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from shaketable import rundir, scenario, verdict
from shaketable.commands import check
from shaketable.commands.run import Options, order, play
from shaketable.errors import HarnessError, InputError, Interrupted, ShaketableError
from shaketable.history import History
from shaketable.report import overview, summary
from shaketable.report.overview import Row
from shaketable.run import Order

#: How bad an exit code is: passed, unknown, failed, bad input, the harness failed.
BADNESS = (0, 2, 1, 254, 255)


def names(asked: Sequence[str], nightly: bool) -> list[str]:
    """Those that are asked for, then all that there are, the nightly ones only where they are wanted too."""
    known = [name for name, path in scenario.names().items() if nightly or not scenario.load(str(path)).nightly]
    return [*asked, *(name for name in known if name not in asked)]


def many(asked: Sequence[str], options: Options, json: Path | None = None) -> int:
    """Play them all, whatever becomes of each, and return the worst exit code. An interruption ends it.

    Raises InputError before the first is played for what is wrong with any of them.
    """
    orders = [order(name, options) for name in asked]
    if not orders:
        raise InputError("expected the name of a scenario, or --all: `shaketable list` shows them")
    rows: list[Row] = []
    try:
        for number, each in enumerate(orders, 1):
            print(f"\n[{number}/{len(orders)}] {each.scenario.name}: {each.scenario.story}", flush=True)
            rows.append(_one(each))
            if rows[-1].verdict == "interrupted":
                raise KeyboardInterrupt
    finally:
        overview.show(rows)
        if json is not None:
            rundir.write_json(json, rows)
    return max((row.exit_code for row in rows), key=BADNESS.index)


def _one(order: Order) -> Row:
    """Play and judge one. What goes wrong becomes its row, for the others are to be played too."""
    began, before = time.monotonic(), _latest(order.runs)
    try:
        directory = play(order)
        doc = verdict.judge_history(History.load(directory))
        summary.headline(doc)
        check.write(directory, doc, page=True)
        return overview.row(doc, check.EXIT[doc.verdict], time.monotonic() - began, str(check.shown(directory.path)))
    except KeyboardInterrupt:
        what, why, code = "interrupted", "", Interrupted.exit_code
    except ShaketableError as e:
        what, why, code = "error", str(e), e.exit_code
    except Exception as e:
        traceback.print_exc()
        what, why, code = "error", f"a bug in shaketable: {type(e).__name__}: {e}", HarnessError.exit_code
    after = _latest(order.runs)
    return Row(order.scenario.name, what, code, round(time.monotonic() - began, 1), why,
               run="" if after in (None, before) else str(check.shown(after)))  # fmt: skip


def _latest(runs: Path) -> Path | None:
    """The newest run there."""
    latest = runs / rundir.LATEST
    return latest.resolve() if latest.exists() else None
