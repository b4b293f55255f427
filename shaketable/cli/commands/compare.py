"""`shaketable compare`: several targets, the same scenarios, corpus, schedule and seeds; what is there is kept."""

from __future__ import annotations

import dataclasses
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from shaketable import rundir
from shaketable.checks import verdict
from shaketable.checks.check import Verdict
from shaketable.cli.commands import check
from shaketable.compare import comparison, forms, run_index
from shaketable.compare import page as compared_page
from shaketable.compare.comparison import SCENARIOS, Cell, Comparison, ComparisonRequest, tidy
from shaketable.errors import HarnessError, InputError, Interrupted, ShaketableError, ToolchainMissing
from shaketable.evidence.history import History
from shaketable.report.terminal import summary
from shaketable.resources import find, places
from shaketable.runner import phases, scenario
from shaketable.runner.live import LiveShow
from shaketable.runner.phases import Order
from shaketable.runner.progress import BriefShow, Show
from shaketable.runner.scenario import Scenario
from shaketable.stack.choice import Choice
from shaketable.target import environments
from shaketable.target import manifest as manifests
from shaketable.target.manifest import PLACEHOLDERS, Manifest
from shaketable.text import in_a_line, visible

#: How bad an exit code is: passed, unknown, failed, bad input, the harness failed.
BADNESS = (0, 2, 1, 254, 255)


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """What is asked for."""

    targets: Sequence[str] = ()  # manifests, or names in alternatives/; (): the reference and all of those
    scenarios: Sequence[str] = SCENARIOS
    trials: int = 1
    seed: int = 1  # of the first trial; the next has the next
    folder: Path = Path("runs/compare")
    fresh: bool = False  # play again what is there already
    gate: bool = False  # the exit code is the worst of all runs
    port_base: int | None = None
    stack: Choice = Choice()


@dataclasses.dataclass(frozen=True)
class ComparedTarget:
    """One of those that are compared."""

    path: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def digest(self) -> str:
        """Of the manifest and what its environment is made from."""
        pinned = [named for key in PLACEHOLDERS if (named := getattr(self.manifest, key, None)) is not None]
        files = [self.path, *(file for name in pinned for file in _files(self.path.parent / name))]
        return comparison.digest(*files)

    @property
    def code(self) -> str:
        """Of the Python code beside its requirements, and in the `common` beside that; "" without requirements."""
        if self.manifest.requirements is None:
            return ""
        folder = (self.path.parent / self.manifest.requirements).parent.resolve()
        return comparison.digest(
            *(file for place in (folder, folder.parent / "common") for file in sorted(place.glob("*.py")))
        )


def compare(options: CompareOptions) -> int:
    """Play what is not there yet, tell of all that is, and return 0; with a gate, the worst of the runs' exit codes.

    Raises InputError before anything is played for what is wrong with a target or scenario, HarnessError when no cell
    came to a verdict. An interruption ends it; what was played stays.
    """
    known, scenarios = targets(options.targets), _scenarios(options.scenarios)
    if options.trials < 1:
        raise InputError(f"expected at least 1 trial, got {options.trials}")
    held = Comparison(options.folder.resolve())
    seeds = list(range(options.seed, options.seed + options.trials))
    names, titles = [target.name for target in known], [one.name for one in scenarios]
    manifests_, files = _called(names, options.targets), _called(titles, options.scenarios)
    held.begin(ComparisonRequest(rundir.SCHEMA, names, titles, seeds, manifests_, files))
    bench = _Bench(options, held)
    try:
        played = list(bench.play(known, scenarios, seeds))
    finally:
        tell(held)
    if all(cell.outcome == "error" for cell in played):
        raise HarnessError(f"no cell came to a verdict: {played[0].why}")
    return max((cell.exit_code for cell in played), key=BADNESS.index) if options.gate else 0


def tell(held: Comparison) -> None:
    """Write the page and print the table of what there is."""
    with rundir.judging(held.path):
        found = run_index.read([held.path])
        forms.show(found)
        print(f"\npage: {check.shown(compared_page.write(found, held.path / comparison.PAGE))}", flush=True)


class _Bench:
    """Plays cells one after another; a target that cannot be tried here has its reason in each of its cells."""

    def __init__(self, options: CompareOptions, held: Comparison) -> None:
        self._options, self._held = options, held
        self._why_not: dict[str, ShaketableError] = {}  # by target

    def play(
        self, targets: Sequence[ComparedTarget], scenarios: Sequence[Scenario], seeds: Sequence[int]
    ) -> Iterator[Cell]:
        """Trial by trial and scenario by scenario, so that an interrupted comparison still compares."""
        wanted = [
            (target, dataclasses.replace(one, seed=seed).drawn())
            for seed in seeds
            for one in scenarios
            for target in targets
        ]
        self._make_environments(targets)
        for number, (target, asked) in enumerate(wanted, 1):
            place = f"[{number}/{len(wanted)}] {target.name} × {asked.name}, seed {asked.seed}"
            kept = self._kept(target, asked)
            print(visible(f"{place}: {f'{kept.outcome}, kept' if kept else asked.story}"), flush=True)
            yield kept or self._cell(target, asked)

    def _make_environments(self, targets: Sequence[ComparedTarget]) -> None:
        """Before anything is measured: what is made beside a run disturbs it."""
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
        same = (cell.inputs, cell.manifest) == (inputs, manifest) and cell.code in ("", code)
        return cell if same and directory is not None and directory.has(rundir.VERDICT) else None

    def _asked(self, target: ComparedTarget, asked: Scenario) -> tuple[str, str, str]:
        return comparison.digest_of_inputs(self._held.inputs(asked)), target.digest, target.code

    def _cell(self, target: ComparedTarget, asked: Scenario) -> Cell:
        began, folder = time.monotonic(), self._held.folder(target.name, asked.name, asked.seed)
        (folder / comparison.CELL).unlink(missing_ok=True)
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
            *self._asked(target, asked),
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
            order = Order(
                asked, target.path, folder, self._options.port_base, self._held.inputs(asked), self._options.stack
            )
            with self._show() as show:
                directory = phases.run(order, show)
            doc = verdict.judge_history(History.load(directory))
            summary.headline(doc)
            check.write(directory, doc, page=True)
            return doc.verdict.value, "", check.EXIT[doc.verdict], directory.path.name
        except KeyboardInterrupt:
            outcome, why, code = "interrupted", "", Interrupted.exit_code
        except ToolchainMissing as e:
            outcome, why, code = "skipped", str(e), check.EXIT[Verdict.UNKNOWN]
        except ShaketableError as e:
            outcome, why, code = "error", str(e), e.exit_code
        except Exception as e:  # a bug of ours must not take the other cells with it
            traceback.print_exc()
            outcome, why, code = "error", f"a bug in shaketable: {type(e).__name__}: {e}", HarnessError.exit_code
        after = _newest(folder)
        return outcome, why, code, "" if after in (None, before) else str(after)

    def _show(self) -> Show:
        if not sys.stdout.isatty():
            return BriefShow()
        return LiveShow(above=forms.progress(self._held))


def _files(path: Path) -> list[Path]:
    """The file, or all of a folder but for packages that somebody installed there."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and "node_modules" not in file.parts)
    return [path] if path.is_file() else []


def _newest(folder: Path) -> str | None:
    """The name of the newest run there."""
    latest = folder / rundir.LATEST
    return latest.resolve().name if latest.exists() else None


def _called(names: Sequence[str], words: Sequence[str]) -> dict[str, str]:
    """By which words it was asked for what has another name."""
    return {name: word for name, word in zip(names, words, strict=False) if word != name}


def targets(asked: Sequence[str]) -> list[ComparedTarget]:
    """Those that are asked for; else the reference and all of alternatives/.

    Raises InputError for one that nobody knows or can read, and for two of one name.
    """
    paths = [_manifest(name) for name in asked] if asked else [_manifest("reference"), *_alternatives().values()]
    found = [ComparedTarget(path, manifests.load(path)) for path in paths]
    for number, target in enumerate(found):
        if twin := next((one for one in found[:number] if tidy(one.name) == tidy(target.name)), None):
            raise InputError(
                f"expected each target to have a unique name: {twin.path} and {target.path} are "
                f"both called {target.name!r}"
            )
    return found


def _manifest(name: str) -> Path:
    if name == "reference":
        return find("reference_impl/target.toml")
    if Path(name).is_file():
        return Path(name).resolve()
    known = _alternatives()
    if name not in known:
        raise InputError(f"expected a manifest, or one of {', '.join(['reference', *known])}: got {name!r}")
    return known[name]


def _alternatives() -> dict[str, Path]:
    """The manifests in the nearest alternatives/, by name."""
    nearest = places("alternatives")[:1]
    return {path.stem: path.resolve() for place in nearest for path in sorted(place.glob("*.toml"))}


def _scenarios(asked: Sequence[str]) -> list[Scenario]:
    """Raises ScenarioError for one that nobody knows, InputError for none, or two of one name."""
    found = [scenario.load(name) for name in asked]
    names = [tidy(one.name) for one in found]
    if not names or len(set(names)) < len(names):
        raise InputError(f"expected at least one scenario, each once: got {', '.join(names) or 'none'}")
    return found
