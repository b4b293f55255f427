"""`shaketable check`: judge a saved run again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shaketable.cli.ci_options import Badge, Budgets, GitHub, Json, JUnit
from shaketable.cli.outputs import Outputs
from shaketable.cli.saved_run import LATEST, RunPath


def check(
    run_dir: RunPath = LATEST,
    budget: Budgets = None,
    junit: JUnit = None,
    json: Json = None,
    github: GitHub = False,
    badge: Badge = None,
) -> int:
    """Check a saved run again, complete or interrupted. With --budget, the run's own verdict.json stays unchanged."""
    return check_run(run_dir, Outputs(json, junit, github, badge), budget or [])


def check_run(run_dir: Path, outputs: Outputs = Outputs(), budgets: Sequence[str] = ()) -> int:
    """Judge the run and return the exit code of its verdict; with budgets, the run directory stays as it is.

    Raises InputError for a path that is no run directory and for a wrong budget; HarnessError, after the verdict is
    printed and told to CI, when the disk refuses a file.
    """
    from shaketable import rundir
    from shaketable.checks.verdict import VerdictDoc
    from shaketable.report import judging
    from shaketable.results import result

    outputs.prepare()
    run = rundir.find(run_dir)

    def tell(doc: VerdictDoc) -> None:
        outputs.write([result.of(doc, doc.verdict.exit_code, run=str(judging.shown(run.path)))])

    with rundir.judging(run.path):
        doc = judging.judge_with_budgets(run, budgets, tell) if budgets else judging.judge_and_print(run, tell)
    return doc.verdict.exit_code
