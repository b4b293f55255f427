"""The differences between two times, in the terminal, and for GitHub Actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console

from shaketable.report.ci.github import command
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell, Styled, Table, TableColumn
from shaketable.results.regression import Difference, Said, code

STYLE = {Said.WORSE: "bold red", Said.LOST: "yellow", Said.BETTER: "green", Said.SAME: "", Said.UNKNOWN: "dim"}
COLUMNS = tuple(map(TableColumn, ("scenario", "what", "before", "now", "")))
VERDICTS = {0: "PASSED – nothing is worse", 1: "FAILED – worse: ", 2: "UNKNOWN – not judged now: "}


def show(rows: Sequence[Difference], console: Console | None = None) -> None:
    """Print the table and its verdict; in a pipe no line is wrapped."""
    tables.show(console or tables.terminal(), table(rows))


def table(rows: Sequence[Difference]) -> Table:
    """A row for each thing; a scenario is named once."""
    cells: list[Sequence[Cell]] = []
    for before, row in zip([None, *rows], rows, strict=False):
        said = row.said.upper() if row.said is Said.WORSE else row.said
        first = "" if before and row.scenario == before.scenario else row.scenario
        cells.append((first, row.what, row.before, row.now, Styled(said, STYLE[row.said])))
    counts = Counter(row.said for row in rows)
    reasons = dict.fromkeys(_reason(row) for row in rows if row.why)
    told = ", ".join(f"{counts[each]} {each}" for each in Said if counts[each]) or "nothing to compare"
    return Table(COLUMNS, cells, notes=["", *reasons, told, f"verdict: {sentence(rows)}"])


def _reason(row: Difference) -> str:
    """The reason; one that several figures share is printed once."""
    what = "figures" if row.said is Said.UNKNOWN and row.what != "verdict" else row.what
    return f"{what} of {row.scenario}: {row.why}"


def sentence(rows: Sequence[Difference]) -> str:
    """The verdict on the differences."""
    result = code(rows)
    wrong = [f"{row.what} of {row.scenario}" for row in rows if row.said is (Said.WORSE if result == 1 else Said.LOST)]
    if result == 2 and not wrong:
        return "UNKNOWN – nothing could be compared"
    return VERDICTS[result] + (", ".join(wrong) if result else "")


def commands(rows: Sequence[Difference]) -> list[str]:
    """An annotation when something is worse or was not judged, for GitHub Actions."""
    return [command("shaketable diff", sentence(rows))] if code(rows) else []


def markdown(rows: Sequence[Difference]) -> str:
    """The same table for the step's summary."""
    cells = [(row.scenario, row.what, row.before, row.now, f"{row.said} {row.why}".strip()) for row in rows]
    return f"{tables.markdown(Table(COLUMNS, cells, sentence(rows)))}\n\n"
