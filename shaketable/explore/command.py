"""`explore` as a command: open the lanes, search, print and write what was found."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shaketable import plural, resources
from shaketable.errors import InputError
from shaketable.explore.found import Found
from shaketable.explore.lanes import Lanes
from shaketable.explore.progress import Progress, Totals
from shaketable.explore.search import Request, Search
from shaketable.faults import FAULTS
from shaketable.results import result
from shaketable.results.result import Result
from shaketable.target import environments
from shaketable.target import manifest as manifests

#: The most lanes by default: each takes a stack, a target and a load.
MOST_LANES = 8
#: The folder of the trials' run directories, in the folder of what was found.
TRIALS = "trials"


@dataclass(frozen=True)
class Asked:
    """The options of the command."""

    target: Path | None
    budget_s: float
    seed: int | None
    lanes: int | None
    kinds: frozenset[str]
    first: bool
    out: Path
    most_trials: int | None = None


def explore(asked: Asked, write: Callable[[Sequence[Result]], None]) -> int:
    """Search, and return the exit code: 1 for a confirmed finding, 2 if nothing could be judged.

    Raises InputError for a target or a kind of fault that there is not, or a target that does not start.
    """
    if odd := asked.kinds - FAULTS.kinds().keys():
        raise InputError(f"expected kinds of faults (see `shaketable list`), got {', '.join(sorted(odd))}")
    path = resources.target(asked.target)
    manifest = manifests.load(path)
    count = asked.lanes or min(MOST_LANES, len(os.sched_getaffinity(0)))
    request = Request(
        path, manifest, asked.out, asked.budget_s, asked.seed, asked.first, asked.kinds, asked.most_trials
    )
    with Progress(count, asked.budget_s) as progress:
        environments.programs(manifest, path.resolve().parent, progress.say)  # before the lanes: it may take minutes
        progress.say(f"exploring {manifest.name} for {asked.budget_s:g} s on {plural.counted(count, 'lanes')}")
        with Lanes(count, path, asked.out / TRIALS, progress.trying) as lanes:
            search = Search(request, lanes, progress)
            try:
                search.run()
            finally:
                progress.say(progress.sentence())
                write(results_of(search.found, progress.totals, manifest.name))
                _show(search.found, progress)
    return result.collect(results_of(search.found, progress.totals, manifest.name)).exit_code


def results_of(found: Sequence[Found], totals: Totals, target: str) -> list[Result]:
    """One for each finding; without any, one for the whole exploration."""
    return [_of(one, target) for one in found] or [_clean(totals, target)]


def _of(one: Found, target: str) -> Result:
    if one.doc is None or one.file is None:
        why = f"{one.sentence}; it failed on warm servers only" if one.of else one.sentence
        return Result(scenario=f"explore {one.check}", verdict="unknown", exit_code=2, target=target, why=why)
    made = result.of(one.doc, 1, run=str(one.run or ""), seconds=one.find_s + one.shrink_s)
    return msgspec.structs.replace(made, scenario=one.file.stem, story=one.sentence)


def _clean(totals: Totals, target: str) -> Result:
    judged = totals.trials - totals.unknown
    figures: dict[str, float | None] = {"trials": float(totals.trials), "unknown_trials": float(totals.unknown)}
    if not judged:
        why = totals.doubts[0] if totals.doubts else "no trial was played"
        return Result(scenario="explore", verdict="unknown", exit_code=2, target=target, why=why, figures=figures)
    story = f"every event was delivered in {plural.counted(judged, 'trials')}"
    return Result(scenario="explore", verdict="passed", exit_code=0, target=target, story=story, figures=figures)


def _show(found: Sequence[Found], progress: Progress) -> None:
    for one in found:
        progress.say(f"FOUND {one.sentence}")
        if one.file is not None:
            progress.say(f"  play it again: shaketable run {one.file}")
        if one.run is not None:
            progress.say(f"  its report: shaketable report {one.run}")
    if not found:
        progress.say("no finding")
    doubts = progress.totals.doubts
    for why in sorted(set(doubts), key=lambda each: -doubts.count(each))[:5]:
        progress.say(f"unknown {doubts.count(why)} ×: {why}")
