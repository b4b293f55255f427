"""Read the cells of comparisons, and single runs, from verdicts on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from shaketable import resources, rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.compare import comparison
from shaketable.compare.cell import Block, Compared, TargetTrials, Trial
from shaketable.compare.comparison import Cell, Comparison, ComparisonRequest
from shaketable.compare.measures import MEASURES
from shaketable.errors import RunDirError
from shaketable.report.page.page import REPORT
from shaketable.rundir import RunDir


def read(paths: Sequence[Path]) -> Compared:
    """Combine comparisons and single runs; the first judged cell wins if several have it.

    Raises RunDirError for another kind of folder.
    """
    trials: list[Trial] = []
    asked: list[ComparisonRequest] = []
    compared: set[tuple[str, str, int]] = set()
    for path in paths:
        if (path / rundir.SCENARIO).exists():
            trials.append(_of_run(RunDir(path)))
        else:
            held = comparison.find(path)
            asked += held.asked.calls
            found = [_of_cell(held, cell) for cell in held.cells()]
            there = {_place(one) for one in trials if one.outcome in comparison.JUDGED}
            trials += [one for one in found if _place(one) not in there]
            compared |= {_place(one) for one in found}
    missing = _missing(trials, asked)
    compared |= set(map(_place, missing))
    blocks = _blocks([*trials, *missing], asked)
    again = [
        _place(trial) for block in blocks for line in block.lines for trial in line.trials if _place(trial) in compared
    ]
    return Compared(blocks, comparison.commands(asked, again))


def _place(trial: Trial) -> tuple[str, str, int]:
    return trial.target, trial.scenario, trial.seed


def _blocks(trials: Sequence[Trial], asked: Sequence[ComparisonRequest]) -> list[Block]:
    """Group trials by scenario: known targets and scenarios in their order, then requested ones, then others."""
    targets = [*(name for one in asked for name in one.targets), *(trial.target for trial in trials)]
    scenarios = [*(name for one in asked for name in one.scenarios), *(trial.scenario for trial in trials)]
    targets = comparison.in_order(targets, resources.targets())
    scenarios = comparison.in_order(scenarios, comparison.SCENARIOS)
    blocks = []
    for scenario in scenarios:
        mine = [trial for trial in trials if trial.scenario == scenario]
        lines = [(name, sorted((t for t in mine if t.target == name), key=lambda t: t.seed)) for name in targets]
        blocks.append(Block(scenario, [TargetTrials(name, found) for name, found in lines if found]))
    return [block for block in blocks if block.lines]


def _missing(trials: Sequence[Trial], asked: Sequence[ComparisonRequest]) -> list[Trial]:
    """Requested cells that do not exist."""
    there = {_place(trial) for trial in trials}
    wanted = [
        (target, scenario, seed)
        for one in asked
        for target in one.targets
        for scenario in one.scenarios
        for seed in one.seeds
    ]
    return [Trial(*place, "not played") for place in dict.fromkeys(wanted) if place not in there]


def _of_cell(held: Comparison, cell: Cell) -> Trial:
    run = held.run(cell)
    known = Trial(
        cell.target,
        cell.scenario,
        cell.seed,
        cell.outcome,
        cell.why,
        inputs=cell.inputs,
        manifest=cell.manifest,
        code=cell.code,
        machine=cell.machine,
    )
    if cell.outcome not in comparison.JUDGED:
        return known
    if run is None:
        return msgspec.structs.replace(known, outcome="error", why="its run directory is gone")
    return _judged(known, run)


def _of_run(run: RunDir) -> Trial:
    """A single run. Raises RunDirError for an unjudged one."""
    doc = rundir.read_json(run / rundir.VERDICT, VerdictDoc)
    return _judged(Trial(doc.target, doc.scenario, doc.seed, doc.verdict.value), run)


def _judged(known: Trial, run: RunDir) -> Trial:
    """Add the contents of the verdict; an unreadable verdict becomes a visible error."""
    try:
        doc = rundir.read_json(run / rundir.VERDICT, VerdictDoc)
        environment = rundir.read_json(run / rundir.ENVIRONMENT, dict[str, Any]) if run.has(rundir.ENVIRONMENT) else {}
    except RunDirError as e:
        return msgspec.structs.replace(known, outcome="error", why=str(e))
    return msgspec.structs.replace(
        known,
        outcome=doc.verdict.value,
        why="; ".join(doc.reasons),
        run=run.path.name,
        page=str(run / REPORT) if run.has(REPORT) else "",
        story=doc.story,
        environment=environment,
        values={measure.name: measure.of(doc) for measure in MEASURES},
        checks={name: (found.verdict.value, found.why) for name, found in doc.checks.items()},
        required=frozenset(name for name, found in doc.checks.items() if found.required),
        acknowledged=int(doc.figures.get("acknowledged") or 0),
    )
