"""The result of a run that came to no verdict: an error, or an interruption."""

from __future__ import annotations

from pathlib import Path

from shaketable import rundir
from shaketable.errors import HarnessError, Interrupted, NotPlayable, ShaketableError, unread
from shaketable.evidence import again
from shaketable.results.result import Ending, Result
from shaketable.runner.order import Order


def of(order: Order, error: BaseException, seconds: float, before: Path | None, trial: int = 1) -> Result:
    """The result of an order that raised `error`; `before` was the newest run when it began."""
    ending: Ending = "error"
    if isinstance(error, KeyboardInterrupt):
        ending, why, code = "interrupted", "", Interrupted.exit_code
    elif isinstance(error, ShaketableError):
        why, code = str(error), error.exit_code
    elif unread(error):
        ending, why, code = "interrupted", "nobody reads the output any more", Interrupted.exit_code
    else:
        why, code = f"a bug in shaketable: {type(error).__name__}: {error}", HarnessError.exit_code
    after = latest(order.runs)
    return Result(
        scenario=order.scenario.name,
        verdict=ending,
        exit_code=code,
        seed=order.scenario.seed,
        trial=trial,
        seconds=round(seconds, 1),
        why=why,
        story=order.scenario.story,
        run="" if after in (None, before) else again.shown(after),
    )


def skipped(order: Order, why: NotPlayable, trial: int) -> Result:
    """The result of a scenario that this machine or stack cannot play, which is no verdict and no error."""
    return Result(
        scenario=order.scenario.name,
        verdict="skipped",
        exit_code=0,
        seed=order.scenario.seed,
        trial=trial,
        why=str(why),
        story=order.scenario.story,
    )


def latest(runs: Path) -> Path | None:
    """The newest run directory in a folder of runs."""
    link = runs / rundir.LATEST
    return link.resolve() if link.exists() else None
