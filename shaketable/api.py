"""The public functions: run a scenario, and check a saved run. Import them from `shaketable`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable import rundir
from shaketable.report import judging
from shaketable.results import result
from shaketable.runner import order as orders
from shaketable.runner import phases
from shaketable.runner.order import Options
from shaketable.runner.progress import Reporter, SilentReporter

if TYPE_CHECKING:
    from shaketable.checks.verdict import VerdictDoc
    from shaketable.results.result import Result
    from shaketable.runner.scenario import Scenario


def run(
    scenario: str | Path | Scenario,
    *,
    target: str | Path | None = None,
    seed: int | None = None,
    runs: str | Path = "runs",
    budgets: Mapping[str, float] | None = None,
    reporter: Reporter | None = None,
) -> Result:
    """Run a scenario against a target on local servers, check every event, and return the result.

    scenario: a name, a file, or a `Scenario` with a name. target: a manifest, or a name; the reference by default.
    budgets: limits in place of the scenario's, such as `{"recovery_s": 10}`. reporter: shows the progress; nothing by
    default. The run directory, with its verdict.json and report.html, is `result.run`, in the folder `runs`.

    Raises ShaketableError: InputError for an argument that cannot be used, HarnessError when the harness fails. A
    failed or unknown verdict is a result, not an error.
    """
    limits = tuple(f"{name}={value!r}" for name, value in (budgets or {}).items())
    options = Options(Path(target) if target else None, Path(runs), seed, budgets=limits)
    if isinstance(scenario, str | Path):
        order = orders.order(str(scenario), options)
    else:
        order = orders.order_of(scenario, options)
    (order,) = orders.under_budgets([order], limits)
    with reporter or SilentReporter() as shown:
        directory = phases.run(order, shown)
    doc = judging.judge(directory, page=True)
    return result.of(doc, doc.verdict.exit_code, run=str(directory.path))


def check(run_dir: str | Path) -> VerdictDoc:
    """Check a saved run again, complete or interrupted, write its verdict.json, and return the verdict.

    Raises InputError for a path that is no run directory, HarnessError when the disk refuses the file.
    """
    directory = rundir.find(Path(run_dir))
    with rundir.judging(directory.path):
        return judging.judge(directory)
