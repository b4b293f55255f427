"""explore.html: the findings and the coverage of an exploration, in one offline file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from shaketable import rundir
from shaketable.evidence import again
from shaketable.explore import catalogue
from shaketable.explore.explored import Explored
from shaketable.explore.found import Found
from shaketable.report.page import document
from shaketable.report.page.header import Header, Tile
from shaketable.report.tables.table import Cell, Table, TableColumn
from shaketable.text import number

#: The page's name in the folder of what was found.
PAGE = "explore.html"
TEMPLATES = Path(__file__).parent / "templates"
#: The most reasons for unknown trials that are shown.
MOST_DOUBTS = 20
#: The most findings that the first sentence names.
SAID = 3
_FINDINGS = (
    TableColumn("finding"),
    TableColumn("confirmed"),
    TableColumn("trials to find", True),
    TableColumn("to find", True, "s"),
    TableColumn("trials to shrink", True),
    TableColumn("to shrink", True, "s"),
    TableColumn("scenario"),
)
_STORY = (
    "Each trial plays drawn faults for a few seconds and checks every event. Times are not judged: trials that run "
    "beside each other disturb each other's."
)


def write(made: Explored, seed: int, verdict: str) -> Path:
    """Write the page and return its path. Raises HarnessError."""
    path = made.out / PAGE
    made.out.mkdir(parents=True, exist_ok=True)
    page = document.render(
        "explore.html",
        folder=TEMPLATES,
        header=_header(made, seed, verdict),
        findings=Table(_FINDINGS, [_line(one) for one in made.found]),
        coverage=_coverage(made),
        doubts=Counter(made.progress.totals.doubts).most_common(MOST_DOUBTS),
        again=[command for one in made.found for command in _again(one)],
    )
    with rundir.whole(path) as out:
        out.write(page.encode())
    return path


def _header(made: Explored, seed: int, verdict: str) -> Header:
    name, totals = f"exploration of {made.manifest.name}", made.progress.totals
    more = [f"{len(made.found) - SAID} more findings"] if len(made.found) > SAID else []
    found = "; ".join([*(one.sentence for one in made.found[:SAID]), *more])
    return Header(
        verdict,
        name,
        f"{found or f'No finding: {made.progress.sentence()}'}.",
        crumbs=[name, f"seed {seed}"],
        story=_STORY,
        tiles=[
            Tile.counted("findings", len(made.found)),
            Tile("trials", number(totals.trials)),
            Tile.counted("failed trials", totals.failed),
            Tile.counted("unknown trials", totals.unknown, "doubt"),
        ],
    )


def _line(one: Found) -> list[Cell]:
    shrunk = (one.find_trials, round(one.find_s), one.shrink_trials, round(one.shrink_s))
    often = f"{one.failed} of {one.of}" if one.of else "not confirmed"
    return [one.sentence.rpartition(":")[0], often, *shrunk, one.file.name if one.file else "not written"]


def _coverage(made: Explored) -> Table:
    """Kinds of faults by states; None was never exercised."""
    kinds = sorted({option.fault.kind for option in catalogue.of(made.manifest)})
    states = [TableColumn(f"{cell.breaker}, {cell.backlog}", True) for cell in made.coverage.columns()]
    rows = [[kind, *(count or None for count in counts)] for kind, counts in made.coverage.table(kinds)]
    return Table([TableColumn("fault"), *states], rows)


def _again(one: Found) -> Iterator[tuple[str, str]]:
    if one.file is not None:
        yield f"Play it again: {one.sentence}", again.line("run", again.shown(one.file))
    if one.run is not None:
        yield "Write its report", again.line("report", again.shown(one.run))
