"""`explore` and `shrink` as commands: open the lanes, search or shrink, print and write what was found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from shaketable import plural, resources
from shaketable.cells.machines import Machines
from shaketable.errors import InputError
from shaketable.explore import catalogue, failed_run, found, libraries, saved, share
from shaketable.explore.catalogue import LIBRARIES
from shaketable.explore.lanes import TRIALS, Lanes
from shaketable.explore.outcome import ExplorationOutcome
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.reduction import Reduction
from shaketable.explore.search import Request, Search
from shaketable.faults import FAULTS
from shaketable.results import result
from shaketable.results.result import Result
from shaketable.target import environments
from shaketable.target import manifest as manifests

#: The most lanes by default: each takes a stack, a target and a load.
MOST_LANES = 8

Write = Callable[[Sequence[Result]], None]


@dataclass(frozen=True)
class Exploration:
    """The options that both commands have."""

    target: Path | None
    out: Path
    budget_s: float
    lanes: int | None = None
    machines: Machines | None = None  # that play the trials; None: this process
    one_of_many: bool = False  # it plays a share for another command


def explore(asked: Exploration, request: Request, write: Write) -> int:
    """Search, and return the exit code: 1 for a confirmed finding, 2 if nothing could be judged.

    Raises InputError for a target or a kind of fault that there is not, or a target that does not start.
    """
    _check_kinds(request)
    if asked.machines is not None:
        return _spread(asked, request, asked.machines, write)
    with _reduction(asked) as reduction:
        there = libraries.found(request.kinds, reduction.progress.say)
        search = Search(replace(request, libraries=there), reduction)
        name, lanes = reduction.manifest.name, plural.counted(reduction.lanes.count, "lanes")
        reduction.progress.say(f"exploring {name} for {asked.budget_s:g} s on {lanes}, seed {search.position.seed}")
        outcome = ExplorationOutcome(reduction, search.position.seed)
        with _told(outcome, write):
            try:
                search.run()
            finally:
                if asked.one_of_many:
                    share.write(reduction, search.position)
    return result.collect(outcome.results()).exit_code


def shrink(asked: Exploration, run: Path, write: Write) -> int:
    """Shrink a saved run that failed; the exit code is as that of `explore`.

    Raises InputError for a run that did not fail, or whose target cannot be told.
    """
    failed = failed_run.read(run)
    found.source(failed.scenario, failed.name)  # raises before anything is played
    lanes = 1 if failed.by_the_clock and asked.lanes is None else asked.lanes
    asked = replace(asked, target=asked.target or failed.target, lanes=lanes)
    _check_target(resources.target(asked.target), failed.name, run)
    with _reduction(asked) as reduction:
        reduction.budget_s = asked.budget_s
        outcome = ExplorationOutcome(reduction, failed.scenario.seed)
        with _told(outcome, write):
            try:
                reduction.reduce(failed.scenario, failed.check, failed.why, 0.0)
            except BaseException:  # Ctrl-C too
                reduction.keep_current()
                raise
    return result.collect(outcome.results()).exit_code


def _spread(asked: Exploration, request: Request, machines: Machines, write: Write) -> int:
    """The same on several machines. On this machine all share the programs and libraries that are made first."""
    from shaketable.explore.spread import SharedExploration, Spread  # they need the extra cluster

    path = resources.target(asked.target)
    manifest = manifests.load(path)
    with ExplorationProgress(0, asked.budget_s) as progress:
        there = LIBRARIES
        if machines.jobs:
            environments.programs(manifest, path.resolve().parent, progress.say)
            there = libraries.found(request.kinds, progress.say)
        options = catalogue.of(manifest, request.kinds, there)
        position = saved.start(asked.out, manifest.name, request.seed, catalogue.digest(options))
        made = SharedExploration(manifest, asked.out, progress, position)
        progress.say(f"exploring {manifest.name} for {asked.budget_s:g} s, seed {position.seed}")
        outcome = ExplorationOutcome(made, position.seed, made.lost)
        with _told(outcome, write):
            try:
                Spread(_words(asked, request, machines), request, machines).play(made)
            finally:
                made.save()
    return result.collect(outcome.results()).exit_code


def _words(asked: Exploration, request: Request, machines: Machines) -> list[str]:
    """The command of a share. A target's file has its whole path, since workers have other working directories."""
    lanes = asked.lanes or (1 if machines.jobs else 0)
    target = asked.target.resolve() if asked.target and asked.target.is_file() else asked.target
    given = {"--budget": f"{asked.budget_s:g}s", "--lanes": lanes, "--target": target}
    return [
        "explore",
        *(word for name, value in given.items() if value for word in (name, str(value))),
        *(word for kind in sorted(request.kinds) for word in ("--faults", kind)),
        *(["--first"] if request.first else []),
    ]


def _check_kinds(request: Request) -> None:
    if odd := request.kinds - FAULTS.kinds().keys():
        raise InputError(f"expected kinds of faults (see `shaketable list`), got {', '.join(sorted(odd))}")


def _check_target(manifest: Path, name: str, run: Path) -> None:
    """Another target need not fail, and a finding would name the wrong one."""
    if (got := manifests.load(manifest).name) != name:
        raise InputError(f"{run} is a run of {name}, and this target is {got}: name the manifest with --target")


@contextmanager
def _reduction(asked: Exploration) -> Iterator[Reduction]:
    path = resources.target(asked.target)
    manifest = manifests.load(path)
    count = asked.lanes or min(MOST_LANES, len(os.sched_getaffinity(0)))
    with ExplorationProgress(count, asked.budget_s) as progress:
        environments.programs(manifest, path.resolve().parent, progress.say)  # before the lanes: it may take minutes
        with Lanes(count, path, asked.out / TRIALS, progress.trying) as lanes:
            yield Reduction(manifest, asked.out, lanes, progress)


@contextmanager
def _told(outcome: ExplorationOutcome, write: Write) -> Iterator[None]:
    """Print and write the findings, also when the search is interrupted or fails."""
    try:
        yield
    except BaseException as e:
        outcome.ended = e
        raise
    finally:
        with ExitStack() as ending:  # from the last to the first: each happens, even if nobody reads the output
            ending.callback(outcome.show)
            ending.callback(outcome.save)
            ending.callback(lambda: write(outcome.results()))
            outcome.made.progress.say(outcome.made.progress.sentence())
