"""Explores seeded bugs, and prints how many trials each takes to be found, and what it is shrunk to.

    python -m tools.explore_matrix [--bugs NAME…] [--seed 1] [--budget 300] [--lanes 2] [--out runs/explored]

The table is explored.md in the folder, and explored.json has the same. Exit code 1: a bug was not found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shaketable.explore import libraries
from shaketable.explore.found import Found, after
from shaketable.explore.lanes import Lanes
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.reduction import Reduction
from shaketable.explore.search import Request, Search
from shaketable.target import manifest as manifests
from tests.seeded_bugs.catalogue import target
from tools.point_matrix import parser_of, save


@dataclass(frozen=True)
class ExploredBug:
    """How one bug was found; `failed` of `of` confirmations on cold stacks failed. Without a check, it was not."""

    bug: str
    seed: int
    trials: int  # until it failed for the first time, or in all
    seconds: float
    check: str = ""
    what: str = ""
    shrink_trials: int = 0
    shrink_s: float = 0.0
    faults: int = 0
    failed: int = 0
    of: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Explore all, tell, and return the exit code."""
    asked = _parser().parse_args(arguments)
    rows: list[ExploredBug] = []
    for name in asked.bugs:
        rows += _explored(name, asked)
        save(asked.out, "explored", rows, text(rows))  # each: an interruption loses none
    print(text(rows))
    return int(any(not any(row.failed for row in rows if row.bug == name) for name in asked.bugs))


def _explored(name: str, asked: argparse.Namespace) -> list[ExploredBug]:
    out = asked.out / f"{name}-{asked.seed}"
    with tempfile.TemporaryDirectory() as folder, ExplorationProgress(asked.lanes, asked.budget) as progress:
        path = target(name, Path(folder))
        with Lanes(asked.lanes, path, out / "trials") as lanes:
            made = Reduction(manifests.load(path), out, lanes, progress)
            there = libraries.found(frozenset(), progress.say)
            began = time.monotonic()
            Search(Request(asked.budget, asked.seed, first=True, libraries=there), made).run()
            seconds = time.monotonic() - began
    none = ExploredBug(name, asked.seed, progress.totals.trials, seconds)
    return [row(name, asked.seed, one) for one in made.found] or [none]


def row(name: str, seed: int, one: Found) -> ExploredBug:
    """The row of one finding."""
    what, left = after(one.scenario.timeline), len(one.scenario.timeline)
    shrunk = one.shrink_trials, one.shrink_s, left, one.failed, one.of
    return ExploredBug(name, seed, one.find_trials, one.find_s, one.check, what, *shrunk)


def text(rows: Sequence[ExploredBug]) -> str:
    """The table, in Markdown."""
    return "\n".join(_lines(rows))


def _lines(rows: Sequence[ExploredBug]) -> Iterator[str]:
    yield "| seeded bug | seed | trials to find | s | fails | trials to shrink | s | faults left | again |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for one in rows:
        found = (one.shrink_trials, f"{one.shrink_s:.0f}", one.faults, f"{one.failed} of {one.of}")
        told = (f"{one.check} {one.what}", *found) if one.check else ("not found", "", "", "", "")
        yield f"| {' | '.join(map(str, (f'`{one.bug}`', one.seed, one.trials, f'{one.seconds:.0f}', *told)))} |"


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__ or "", "explored")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=300, help="seconds to draw trials for, for each bug")
    return parser


if __name__ == "__main__":
    sys.exit(main())
