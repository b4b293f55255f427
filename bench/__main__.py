"""`python -m bench`: the figures of the reference on this machine, as a table and as JSON."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench import ceiling, endurance, intake_fuzz, kills, rates
from bench.endurance import Endurance
from bench.figure import Figure, Report, ratios
from bench.intake_fuzz import Fuzz
from bench.kills import Kills
from bench.stage import Stage, say, stage

#: What is measured by default, on a fresh stack each, and over how many events. The ceiling is looked at before and
#: after the drain: a machine changes its mind within a run.
RATES: list[tuple[Callable[[Stage, int], Figure], int]] = [
    (rates.answers, 60_000),
    (lambda on, count: rates.intake(on, count, 1), 60_000),
    (lambda on, count: rates.intake(on, count, 100), 60_000),
    (rates.end_to_end, 60_000),
    (lambda on, count: ceiling.staged_copy(on, count, 10), 200_000),
    (rates.drain, 200_000),
    (lambda on, count: ceiling.staged_copy(on, count, 11), 200_000),
    (lambda on, count: ceiling.one_insert(on, count, 12), 20_000),
]


def measure(scale: float) -> Report:
    """Every rate, each on a fresh stack; of the two looks at the ceiling the mean."""
    figures: list[Figure] = []
    for take, count in RATES:
        with stage() as one:
            figures.append(take(one, max(1000, int(count * scale))))
        say(f"{figures[-1].name}: {figures[-1].per_second:,.0f} a second")
    figures = _mean_of_twins(figures)
    return Report(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", figures, ratios(figures)
    )


def _mean_of_twins(figures: list[Figure]) -> list[Figure]:
    rates_of: dict[str, list[float]] = {}
    for figure in figures:
        rates_of.setdefault(figure.name, []).append(figure.per_second)
    first = {figure.name: figure for figure in reversed(figures)}
    means = {name: sum(found) / len(found) for name, found in rates_of.items()}
    return [msgspec.structs.replace(first[name], per_second=means[name]) for name in rates_of]


def show(report: Report) -> None:
    """Two tables: rates, and how they compare."""
    table = Table("figure", "events/s", "events", "p50 ms", "p99 ms", "CPU µs an event", "others", title=report.machine)
    for figure in report.figures:
        cost = ", ".join(f"{name} {us:g}" for name, us in figure.cpu_us.items() if us)
        latency = [f"{figure.latency_ms[p]:g}" if figure.latency_ms else "" for p in ("p50", "p99")]
        rate, others = f"{figure.per_second:,.0f}", f"{figure.others_cores:g} cores"
        table.add_row(figure.name, rate, f"{figure.events:,}", *latency, cost, others)
    compared = Table("ratio", "reached", "at least")
    for ratio in report.ratios:
        compared.add_row(ratio.name, f"{ratio.ratio:.2f}", f"{ratio.at_least:g}")
    console = Console(width=None if os.isatty(1) else 140)
    console.print(table)
    console.print(compared)


def main() -> int:
    """Measure; exit code 1 when a ratio is below what is aimed at, or when something was lost or doubled."""
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    modes = "rates (default); memory over a million events; kills and freezes at random; fuzz: mutants at the intake"
    parser.add_argument("mode", nargs="?", choices=["rates", "memory", "kills", "fuzz"], default="rates", help=modes)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there as well")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the events (1): 0.05 is a quick look")
    parser.add_argument("--rounds", type=int, default=50, help="how many kills and freezes (50)")
    parser.add_argument("--bodies", type=int, default=300_000, help="how many mutants (300,000)")
    choices = "which kills and freezes, or which mutants: that of a run before makes the same choices"
    parser.add_argument("--seed", type=int, help=choices)
    given = parser.parse_args()
    result: Endurance | Fuzz | Kills | Report
    if given.mode == "memory":
        result = endurance.run(int(1_000_000 * given.scale))
    elif given.mode == "kills":
        result = kills.run(given.rounds, given.seed)
    elif given.mode == "fuzz":
        result = intake_fuzz.run(given.bodies, given.seed)
    else:
        report = result = measure(given.scale)
        show(report)
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    return 0 if result.held else 1


if __name__ == "__main__":
    raise SystemExit(main())
