"""The differences between two times, in the terminal, and for GitHub Actions."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shaketable.report.ci.github import command, escaped
from shaketable.report.terminal.overview import WIDE
from shaketable.results.regression import Difference, Said, code
from shaketable.text import visible

STYLE = {Said.WORSE: "bold red", Said.LOST: "yellow", Said.BETTER: "green", Said.SAME: "", Said.UNKNOWN: "dim"}
VERDICTS = {0: "PASSED – nothing is worse", 1: "FAILED – worse: ", 2: "UNKNOWN – not judged now: "}


def show(rows: Sequence[Difference], console: Console | None = None) -> None:
    """Print the table and its verdict; in a pipe no line is wrapped."""
    console = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    console.print(table(rows))
    console.print()
    for line in dict.fromkeys(_reason(row) for row in rows if row.why):
        console.print(line, soft_wrap=True, markup=False)
    said = Counter(row.said for row in rows)
    console.print(f"{', '.join(f'{said[each]} {each}' for each in Said if said[each]) or 'nothing to compare'}")
    console.print(f"verdict: {sentence(rows)}", soft_wrap=True, markup=False)


def table(rows: Sequence[Difference]) -> Table:
    """A row for each thing; a scenario is named once."""
    made = Table("scenario", "what", "before", "now", "", box=None, pad_edge=False, header_style="")
    last = ""
    for row in rows:
        told = row.said.upper() if row.said is Said.WORSE else row.said
        first = "" if row.scenario == last else row.scenario
        made.add_row(
            *(Text(visible(each)) for each in (first, row.what, row.before, row.now)), Text(told, STYLE[row.said])
        )
        last = row.scenario
    return made


def _reason(row: Difference) -> str:
    """The reason; one that several figures share is printed once."""
    what = "figures" if row.said is Said.UNKNOWN and row.what != "verdict" else row.what
    return visible(f"{what} of {row.scenario}: {row.why}")


def sentence(rows: Sequence[Difference]) -> str:
    """The verdict on the differences."""
    result = code(rows)
    wrong = [f"{row.what} of {row.scenario}" for row in rows if row.said is (Said.WORSE if result == 1 else Said.LOST)]
    if result == 2 and not wrong:
        return "UNKNOWN – nothing could be compared"
    return VERDICTS[result] + visible(", ".join(wrong) if result else "")


def commands(rows: Sequence[Difference]) -> list[str]:
    """An annotation when something is worse or was not judged, for GitHub Actions."""
    return [command("shaketable diff", sentence(rows))] if code(rows) else []


def markdown(rows: Sequence[Difference]) -> str:
    """The same table for the step's summary."""
    cells = [(row.scenario, row.what, row.before, row.now, f"{row.said} {row.why}".strip()) for row in rows]
    lines = [f"| {' | '.join(escaped(cell) for cell in line)} |\n" for line in cells]
    head = f"### {escaped(sentence(rows))}\n\n| scenario | what | before | now | |\n|---|---|---|---|---|\n"
    return f"{head}{''.join(lines)}\n"
