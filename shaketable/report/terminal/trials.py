"""Several trials of a scenario: the number that passed, the ranges of the metrics, and the confidence bound."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shaketable.report.terminal.overview import WIDE, fits
from shaketable.results import confidence
from shaketable.results.metrics import METRICS, span
from shaketable.results.result import Result
from shaketable.text import visible

Trials = dict[str, list[Result]]


def show(runs: Sequence[Result], console: Console | None = None) -> None:
    """Print the table and the bounds of scenarios with several trials; nothing without any."""
    several = {name: trials for name, trials in by_scenario(runs).items() if len(trials) > 1}
    if not several:
        return
    console = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    console.print()
    wide = table(several)
    console.print(wide if fits(console, wide) else narrow(several))
    console.print()
    for name, trials in several.items():
        console.print(visible(f"{name}: {proved(trials)}"), soft_wrap=True, markup=False)
    console.print(f"({confidence.ASSUMPTION})", soft_wrap=True)


def by_scenario(runs: Sequence[Result]) -> Trials:
    """The runs by scenario, in the order of the first run."""
    found: Trials = {}
    for run in runs:
        found.setdefault(run.scenario, []).append(run)
    return found


def table(several: Trials) -> Table:
    """A row for each scenario."""
    made = Table("trials", "passed", box=None, pad_edge=False, header_style="")
    for measure in METRICS:
        made.add_column(f"{measure.name} {measure.unit}", justify="right")
    for name, trials in several.items():
        made.add_row(Text(visible(name)), *_ranges(trials).values())
    return made


def narrow(several: Trials) -> Table:
    """One row per known metric."""
    made = Table("trials", "what", "range", box=None, pad_edge=False, header_style="")
    for name, trials in several.items():
        for number, (what, told) in enumerate(_ranges(trials).items()):
            if told != "–":
                made.add_row(Text("" if number else visible(name)), what, told)
    return made


def _ranges(trials: Sequence[Result]) -> dict[str, str]:
    """The number of passed trials, and the range of each metric."""
    values = {
        f"{measure.name} {measure.unit}": [value for run in trials if (value := measure.of(run)) is not None]
        for measure in METRICS
    }
    return {"passed": f"{passed(trials)} of {len(trials)}"} | {name: span(found) for name, found in values.items()}


def passed(trials: Sequence[Result]) -> int:
    """The number of passed trials."""
    return sum(run.verdict == "passed" for run in trials)


def proved(trials: Sequence[Result]) -> str:
    """The failure rate or its confidence bound; trials without a verdict do not count."""
    return "; ".join(_proved(trials))


def _proved(trials: Sequence[Result]) -> Iterator[str]:
    failed = sum(run.verdict == "failed" for run in trials)
    judged = failed + passed(trials)
    yield f"failed {failed} of {judged} trials" if failed else f"failed: {confidence.told(judged)}"
    if judged < len(trials):
        yield f"{len(trials) - judged} not judged"
