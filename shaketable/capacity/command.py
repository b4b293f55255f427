"""`capacity` as a command: search for the target's highest rate, then for the load generator's, and show both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shaketable import resources, rundir
from shaketable.capacity import generator_steps, page, table
from shaketable.capacity.curve import Curve
from shaketable.capacity.search import highest, search
from shaketable.capacity.step import Step
from shaketable.capacity.target_steps import TargetSteps
from shaketable.results.result import Result
from shaketable.runner.progress import PlainReporter
from shaketable.stack.warm import WarmServers
from shaketable.target import environments
from shaketable.target import manifest as manifests

FILE = "capacity.json"
#: The folder of the run directories, in the folder of the result.
STEPS = "steps"


@dataclass(frozen=True)
class CapacityOptions:
    """The options of the command."""

    target: Path | None = None
    first: float = 50.0  # events a second
    seconds: float = 8.0  # of load at each rate
    acknowledged_within_s: float = 1.0
    stored_within_s: float = 5.0
    out: Path = Path("runs/capacity")
    seed: int = 1


def capacity(asked: CapacityOptions, write: Callable[[Sequence[Result]], None]) -> int:
    """Search, print, write, and return the exit code.

    Raises InputError for options that cannot be used, HarnessError when servers do not start.
    """
    path, show = resources.target(asked.target), PlainReporter()
    manifest = manifests.load(path)
    environments.programs(manifest, path.resolve().parent, show.print)  # it may take minutes
    budgets = asked.acknowledged_within_s, asked.stored_within_s
    steps: list[Step] = []
    alone: list[Step] = []
    try:
        with WarmServers(show.print) as servers:
            of_target = TargetSteps(path, asked.out / STEPS, servers, asked.seconds, *budgets, asked.seed)
            _search(show, manifest.name, of_target.play, asked.first, steps)
        if manifest.ingest.sender:
            show.print(f"The load generator alone is not measured: {manifest.name} has a sender.")
        else:
            alike = partial(generator_steps.play, of_target, manifest)
            _search(show, "no target", alike, highest(steps) or asked.first, alone)
    finally:  # after an interruption: what is known so far
        curve = Curve(manifest.name, steps, alone, asked.seconds, *budgets)
        if steps:
            _tell(curve, partial(_save, asked.out, curve, show), write)
    return curve.verdict.exit_code


def _search(show: PlainReporter, what: str, play: Callable[[float], Step], first: float, steps: list[Step]) -> None:
    def told(rate: float) -> Step:
        show.print(f"{what}: {rate:,g} events/s")
        return play(rate)

    steps.extend(search(told, first))


def _tell(curve: Curve, save: Callable[[], None], write: Callable[[Sequence[Result]], None]) -> None:
    with ExitStack() as ending:  # from the last to the first: each happens, even if nobody reads the output
        ending.callback(lambda: write([curve.result()]))
        ending.callback(save)
        table.show(curve)


def _save(folder: Path, curve: Curve, show: PlainReporter) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rundir.write_json(folder / FILE, curve)
    show.print(f"curve: {page.write(folder, curve)}")
