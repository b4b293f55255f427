"""docs/seeded-bugs.md: each seeded bug, the check that catches it, its scenarios, and the profiles that play them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from shaketable.checks import CHECKS
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell, Table, TableColumn
from shaketable.runner import profile, selection
from tests.seeded_bugs.bug import HERE, Bug
from tests.seeded_bugs.catalogue import BUGS, FILES, shipped

#: The selections of `shaketable run`, each of which plays all that the one before it plays.
SELECTIONS = {
    "`quick`": frozenset(profile.find("quick").trials),
    "`--all`": frozenset(selection.names([], nightly=False)),
    "nightly": frozenset(selection.names([], nightly=True)),
}
HEAD = """# Seeded bugs

Broken processors prove that the checks can see a fault. Each seeded bug is the reference with one realistic defect, and
names the check that must catch it. `make prove` runs all of them as real processes: a bug counts as caught only if that
check fails, and the same scenario must pass on the sound reference. Each bug's file is in
[tests/seeded_bugs](../tests/seeded_bugs/README.md), in the folder of its check.
"""
COUNTS = """## How many each selection reveals

`shaketable run --profile quick` plays the scenarios that reveal most bugs in five minutes, `--all` plays every
scenario that takes less than a minute, and `--profile nightly` plays all. Where none of them is known to show a bug,
`make prove` plays a scenario of its own.
"""
EACH = """## Each bug

*Shown by* is the scenario of `make prove`, the shortest that shows the bug. *Shipped* is the scenario of the package
that shows it, and *played by* the smallest selection that plays that one. `python -m tools.prove --shipped` runs the
bugs in the shipped scenarios.
"""


def revealed(by: str) -> list[str]:
    """The bugs that a selection reveals."""
    return [name for name, bug in BUGS.items() if shipped(bug) in SELECTIONS[by]]


def page() -> str:
    """The page, without the note that it is generated."""
    return "\n".join([HEAD, COUNTS, *_counts(), "", EACH, *_bugs()]) + "\n"


def _counts() -> list[str]:
    rows: list[list[Cell]] = []
    for check in CHECKS.kinds():
        mine = {name for name, bug in BUGS.items() if bug.caught_by == check}
        rows.append([f"[{check}](checks.md#{check})", len(mine), *(len(mine & {*revealed(by)}) for by in SELECTIONS)])
    rows.append(["in all", len(BUGS), *(len(revealed(by)) for by in SELECTIONS)])
    return _table(["check", "bugs", *SELECTIONS], rows)


def _bugs() -> list[str]:
    rows: list[list[Cell]] = []
    for name, bug in BUGS.items():
        file = FILES[name].relative_to(HERE.parents[1])
        link, asked = f"[{name}](../{file.as_posix()})", shipped(bug)
        rows.append([link, _defect(FILES[name]), bug.caught_by, _code(bug.shown_by), _code(asked), _played_by(bug)])
    return _table(["bug", "defect", "check", "shown by", "shipped", "played by"], rows)


def _played_by(bug: Bug) -> str:
    return next((by for by, names in SELECTIONS.items() if shipped(bug) in names), "`make prove` alone")


def _defect(file: Path) -> str:
    """The first paragraph of its docstring."""
    told = ast.get_docstring(ast.parse(file.read_text())) or ""
    return " ".join(told.partition("\n\n")[0].split()).replace("|", "\\|")


def _code(name: str) -> str:
    return f"`{name}`" if name else ""


def _table(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    return tables.markdown(Table([TableColumn(name) for name in names], rows), str).splitlines()
