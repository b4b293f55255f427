"""Play the cells of a comparison: several targets under the same scenarios, events and seeds.

Cells that are on disk and up to date are not played again.
"""

from __future__ import annotations

import dataclasses
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from shaketable import plural, rundir
from shaketable.cells.machines import Machines
from shaketable.checks.check import Verdict
from shaketable.compare import comparison, forms, page, run_index, spread
from shaketable.compare.comparison import SCENARIOS, Announced, Cell, Comparison, ComparisonRequest, tidy
from shaketable.compare.spread import MissingCell
from shaketable.compare.targets import ComparedTarget, announced, targets
from shaketable.errors import (
    HarnessError,
    InputError,
    Interrupted,
    ManifestError,
    NotPlayable,
    ShaketableError,
    ToolchainMissing,
    unread,
)
from shaketable.report import judging
from shaketable.runner import phases, playable, scenario
from shaketable.runner.live import LiveReporter
from shaketable.runner.order import Order
from shaketable.runner.progress import BriefReporter, Reporter
from shaketable.runner.scenario import Scenario
from shaketable.stack.choice import Choice
from shaketable.target import environments
from shaketable.text import in_a_line, visible

#: How bad an exit code is: passed, unknown, failed, bad input, the harness failed.
BADNESS = (0, 2, 1, 254, 255)


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """Which cells to play, and how."""

    targets: Sequence[str] = ()  # manifests, or names in alternatives/; (): the reference and all of those
    scenarios: Sequence[str] = SCENARIOS
    trials: int = 1
    seed: int = 1  # of the first trial; the next has the next
    folder: Path = Path("runs/compare")
    fresh: bool = False  # play again the cells that are there
    gate: bool = False  # the exit code is the worst of all runs
    port_base: int | None = None
    stack: Choice = Choice()
    machines: Machines | None = None  # that play the cells; None: this process


def compare(options: CompareOptions) -> int:
    """Play the missing cells, report all, and return 0; with `gate`, the worst exit code of all cells.

    Raises InputError, before anything is played, for a wrong target or scenario; HarnessError when no cell came to a
    verdict. An interruption ends the comparison; the cells that were played stay.
    """
    known, scenarios = targets(options.targets), _scenarios(options.scenarios)
    if options.trials < 1:
        raise InputError(f"expected at least 1 trial, got {options.trials}")
    held = Comparison(options.folder.resolve())
    seeds = list(range(options.seed, options.seed + options.trials))
    names, titles = [target.name for target in known], [one.name for one in scenarios]
    manifests_, files = _called(names, options.targets), _called(titles, options.scenarios)
    held.begin(ComparisonRequest(rundir.SCHEMA, names, titles, seeds, manifests_, files))
    player = _Player(options, held, announced(known))
    try:
        if options.machines is None:
            played = list(player.play(known, scenarios, seeds))
        else:
            played = list(player.spread(known, scenarios, seeds, options.machines))
    finally:
        report(held)
    if all(cell.outcome == "error" for cell in played):
        raise HarnessError(f"no cell came to a verdict: {played[0].why}")
    return max((cell.exit_code for cell in played), key=BADNESS.index) if options.gate else 0


def report(held: Comparison) -> None:
    """Print the table of all cells on disk, and write the page."""
    with rundir.judging(held.path):
        found = run_index.read([held.path])
        forms.show(found)
        print(f"\npage: {judging.shown(page.write(found, held.path / comparison.PAGE))}", flush=True)


class _Player:
    """Plays cells one after another; a target that cannot be tried here has its reason in each of its cells."""

    def __init__(self, options: CompareOptions, held: Comparison, announced: Announced) -> None:
        self._options, self._held, self._announced = options, held, announced
        self._why_not: dict[str, ShaketableError] = {}  # by target

    def play(
        self, targets: Sequence[ComparedTarget], scenarios: Sequence[Scenario], seeds: Sequence[int]
    ) -> Iterator[Cell]:
        """Trial by trial and scenario by scenario, so that an interrupted comparison still compares."""
        wanted = _wanted(targets, scenarios, seeds)
        self._make_environments(targets)
        for number, (target, asked) in enumerate(wanted, 1):
            place = f"[{number}/{len(wanted)}] {_title(target, asked)}"
            kept = self._kept(target, asked)
            print(visible(f"{place}: {f'{kept.outcome}, kept' if kept else asked.story}"), flush=True)
            yield kept or self._cell(target, asked)

    def spread(
        self, known: Sequence[ComparedTarget], scenarios: Sequence[Scenario], seeds: Sequence[int], machines: Machines
    ) -> Iterator[Cell]:
        """Play the same cells on these machines, and yield each when it is done."""
        if machines.jobs:
            self._make_environments(known)
        words = dict(zip((one.name for one in scenarios), map(scenario.typed, self._options.scenarios), strict=True))
        missing = []
        for target, asked in _wanted(known, scenarios, seeds):
            if (kept := self._kept(target, asked)) is not None:
                print(visible(f"{_title(target, asked)}: {kept.outcome}, kept"), flush=True)
                yield kept
            else:
                missing.append(self._missing(target, asked, words[asked.name]))
        if not missing:
            return
        print(f"{plural.counted(len(missing), 'cells')} to play", flush=True)
        for number, cell in enumerate(spread.play(self._held, missing, machines, self._options.fresh), 1):
            place = f"[{number}/{len(missing)}] {cell.target} × {cell.scenario}, seed {cell.seed}"
            why = f": {in_a_line(cell.why)}" if cell.why else ""
            print(visible(f"{place}: {cell.outcome} on {cell.machine or 'no machine'}{why}"), flush=True)
            yield cell

    def _missing(self, target: ComparedTarget, asked: Scenario, word: str) -> MissingCell:
        digests = self._asked(target, asked)
        inputs = self._held.inputs(asked, target.shapes, self._announced) if digests[0] else None
        return MissingCell(target, asked, (self._word(target), word), inputs, digests)

    def _word(self, target: ComparedTarget) -> str:
        """The target for another machine, too: its name, or the whole path of its file."""
        named = any(word == target.name and not Path(word).is_file() for word in self._options.targets)
        return target.name if named or not self._options.targets else str(target.path)

    def _make_environments(self, targets: Sequence[ComparedTarget]) -> None:
        """Build all environments before the first run, since a build during a run would disturb its measurements."""
        for target in targets:
            try:
                environments.programs(
                    target.manifest, target.path.parent, lambda text: print(visible(text), flush=True)
                )
            except ShaketableError as e:
                self._why_not[target.name] = e

    def _kept(self, target: ComparedTarget, asked: Scenario) -> Cell | None:
        """The cell, if it came to a verdict on exactly what is asked now."""
        cell = self._held.cell(target.name, asked.name, asked.seed)
        if cell is None or self._options.fresh or cell.outcome not in comparison.JUDGED:
            return None
        directory = self._held.run(cell)
        inputs, manifest, code = self._asked(target, asked)
        same = (cell.inputs, cell.manifest, cell.code) == (inputs, manifest, code)
        return cell if same and directory is not None and directory.has(rundir.VERDICT) else None

    def _asked(self, target: ComparedTarget, asked: Scenario) -> tuple[str, str, str]:
        try:
            inputs = comparison.digest_of_inputs(self._held.inputs(asked, target.shapes, self._announced))
        except ManifestError:  # its events cannot be drawn: the cell says why
            inputs = ""
        return inputs, target.digest, target.code

    def _cell(self, target: ComparedTarget, asked: Scenario) -> Cell:
        began, folder = time.monotonic(), self._held.folder(target.name, asked.name, asked.seed)
        (folder / comparison.CELL).unlink(missing_ok=True)
        digests = self._asked(target, asked)  # an edit during the run is not what was played
        outcome, why, code, directory = self._attempt(target, asked, folder)
        if why:
            print(f"  {outcome}: {in_a_line(why)}", flush=True)
        cell = Cell(
            target.name,
            asked.name,
            asked.seed,
            outcome,
            why,
            code,
            round(time.monotonic() - began, 1),
            directory,
            *digests,
        )
        if outcome == "interrupted":
            raise KeyboardInterrupt
        self._held.keep(cell)
        return cell

    def _attempt(self, target: ComparedTarget, asked: Scenario, folder: Path) -> tuple[str, str, int, str]:
        """Play and judge; outcome, reason, exit code, and the run directory's name."""
        before = _newest(folder)
        try:
            if (known := self._why_not.get(target.name)) is not None:
                raise known
            inputs = self._held.inputs(asked, target.shapes, self._announced)
            order = Order(asked, target.path, folder, self._options.port_base, inputs, self._options.stack)
            with self._show() as show:
                directory = phases.run(order, show)
            doc = judging.judge_one_of_many(directory)
            return doc.verdict.value, "", doc.verdict.exit_code, directory.path.name
        except KeyboardInterrupt:
            outcome, why, code = "interrupted", "", Interrupted.exit_code
        except (ToolchainMissing, NotPlayable) as e:
            outcome, why, code = "skipped", str(e), Verdict.UNKNOWN.exit_code
        except ShaketableError as e:
            outcome, why, code = "error", str(e), e.exit_code
        except Exception as e:  # a bug in shaketable must not cost the other cells their verdicts
            if unread(e):
                raise
            traceback.print_exc()
            outcome, why, code = "error", f"a bug in shaketable: {type(e).__name__}: {e}", HarnessError.exit_code
        after = _newest(folder)
        return outcome, why, code, "" if after in (None, before) else str(after)

    def _show(self) -> Reporter:
        if not sys.stdout.isatty():
            return BriefReporter()
        return LiveReporter(above=forms.progress(self._held))


def _wanted(
    targets: Sequence[ComparedTarget], scenarios: Sequence[Scenario], seeds: Sequence[int]
) -> list[tuple[ComparedTarget, Scenario]]:
    """All cells, in the order in which they are played, each without the events that its target never receives."""
    return [
        (target, playable.narrowed(dataclasses.replace(one, seed=seed).drawn(), target.manifest))
        for seed in seeds
        for one in scenarios
        for target in targets
    ]


def _title(target: ComparedTarget, asked: Scenario) -> str:
    return f"{target.name} × {asked.name}, seed {asked.seed}"


def _newest(folder: Path) -> str | None:
    """The name of the newest run there."""
    latest = folder / rundir.LATEST
    return latest.resolve().name if latest.exists() else None


def _called(names: Sequence[str], words: Sequence[str]) -> dict[str, str]:
    """The word on the command line for each name that differs from it."""
    return {name: word for name, word in zip(names, words, strict=False) if word != name}


def _scenarios(asked: Sequence[str]) -> list[Scenario]:
    """The scenarios. Raises ScenarioError for an unknown name, InputError for none, or two of one name."""
    found = [scenario.load(name) for name in asked]
    names = [tidy(one.name) for one in found]
    if not names or len(set(names)) < len(names):
        raise InputError(f"expected at least one scenario, each once: got {', '.join(names) or 'none'}")
    return found
