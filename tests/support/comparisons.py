"""Comparisons of literal runs: written as `shaketable compare` would leave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.checks import NoLoss
from shaketable.checks.verdict import judge_run
from shaketable.compare import run_index
from shaketable.compare.cell import Compared, TargetTrials
from shaketable.compare.comparison import Cell, Comparison, ComparisonRequest, tidy
from tests.support.book import Part
from tests.support.histories import asks, run_of, sent, stored, target

#: A folder's name as a run has it.
RUN = "20261124T201756Z-aa4{}-{}-{}"


def kept(folder: Path, targets: list[str]) -> Comparison:
    """An empty one of one scenario and one trial."""
    held = Comparison(folder)
    held.begin(ComparisonRequest(1, targets, ["calm"], [1]))
    return held


#: What a run stood on.
GROUND = {"cpus": 2, "target_packages": {"celery": "5.6.0", "kombu": "5.6.1"}}


def played(
    held: Comparison,
    name: str,
    *parts: Part,
    scenario: str = "calm",
    seed: int = 1,
    ground: dict[str, Any] = GROUND,
    **more: Any,
) -> Path:
    """One cell with a run that is judged and has a page; returns its run directory."""
    run = held.folder(name, scenario, seed) / RUN.format(seed, scenario, tidy(name))
    run.mkdir(parents=True)
    doc = judge_run(run_of([*parts, target(name=name)], run))
    rundir.write_json(run / rundir.ENVIRONMENT, ground)
    (run / "report.html").write_text("a page")
    held.keep(Cell(name, scenario, seed, doc.verdict.value, run=run.name, **more))
    return run


def stopped(held: Comparison, name: str, outcome: str, why: str, seed: int = 1) -> None:
    """One cell that came to no verdict."""
    held.keep(Cell(name, "calm", seed, outcome, why))


def losing(count: int, of: int = 10) -> list[Part]:
    """Events of which so many are lost."""
    events = [sent(f"e{i}", at=i).acknowledged(i + 0.01) for i in range(of)]
    return [*events, *(stored(f"e{i}", at=i + 1) for i in range(count, of)), asks(NoLoss())]


def read(held: Comparison) -> Compared:
    return run_index.read([held.path])


def line(held: Comparison, name: str) -> TargetTrials:
    """A target's only line."""
    [found] = [line for block in read(held).blocks for line in block.lines if line.target == name]
    return found


def rename(run: Path, **facts: str) -> None:
    """Change what a run's verdict says of itself."""
    doc = msgspec.json.decode((run / rundir.VERDICT).read_bytes())
    rundir.write_json(run / rundir.VERDICT, {**doc, **facts})


def hostile(folder: Path, text: str) -> Comparison:
    """One with a loss, something unknown, an error, and foreign text wherever some may be."""
    held = kept(folder, [text, "b", "c"])
    for seed in (1, 2, 3):
        rename(played(held, text, *losing(seed - 1), seed=seed), story=text)
    stopped(held, "b", "error", text)
    return held
