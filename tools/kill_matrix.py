"""The kill matrix: which check caught which seeded bug, and which clean runs were blamed for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.report.page import document
from shaketable.report.page.header import Header, Tile
from tools.clean_runs import Clean, table

#: One letter for a check's verdict in one run; the check that must catch the bug has a capital.
LETTERS = {"failed": "x", "unknown": "?", "passed": ".", "not applicable": "-"}
RIGHT, OTHER, MISSED = "caught", "caught by another", "missed"


class Shot(msgspec.Struct, frozen=True):
    """One run of one bug."""

    caught: str  # RIGHT, OTHER or MISSED
    verdict: str
    checks: dict[str, str]  # verdict by check
    why: str = ""  # what the check that must catch it said
    run: str = ""  # where its run directory is kept; "" for a bug that was caught


class Row(msgspec.Struct, frozen=True):
    """One bug, and all runs of it."""

    name: str
    caught_by: str
    shown_by: str
    because: str
    shots: list[Shot]

    @property
    def hits(self) -> int:
        return sum(shot.caught == RIGHT for shot in self.shots)

    @property
    def best(self) -> str:
        """How the bug fared in all: caught in any run is caught."""
        return min((shot.caught for shot in self.shots), key=[RIGHT, OTHER, MISSED].index, default=MISSED)

    @property
    def told(self) -> str:
        """`caught`, or `caught in 2 of 3` where it took several runs."""
        return f"{self.best} in {self.hits} of {len(self.shots)}" if len(self.shots) > 1 else self.best


class Matrix(msgspec.Struct, frozen=True):
    """prove.json."""

    schema: int
    bugs: list[Row]
    clean: list[Clean]
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Failed for a bug that was missed or a clean run that was blamed."""
        if self.missed or self.alarms:
            return Verdict.FAILED
        return Verdict.UNKNOWN if self.unjudged or not (self.bugs or self.clean) else Verdict.PASSED

    @property
    def missed(self) -> list[Row]:
        return [row for row in self.bugs if row.best != RIGHT]

    @property
    def alarms(self) -> list[Clean]:
        """Clean runs in which a check that counts failed."""
        return [one for one in self.clean if one.verdict == Verdict.FAILED]

    @property
    def unjudged(self) -> list[Clean]:
        return [one for one in self.clean if one.verdict not in (Verdict.FAILED, Verdict.PASSED)]


def shot(caught_by: str, because: str, doc: VerdictDoc, run: str) -> Shot:
    """What one run says of a bug: the right check failed for the right reason, another that counts did, or none."""
    finding = doc.checks[caught_by]
    right = finding.verdict is Verdict.FAILED and because in finding.why
    other = doc.verdict is Verdict.FAILED
    checks = {name: str(found.verdict.value) for name, found in doc.checks.items()}
    caught = RIGHT if right else OTHER if other else MISSED
    return Shot(caught, doc.verdict.value, checks, finding.why, "" if right else run)


def text(matrix: Matrix) -> str:
    """The matrix for a terminal: a row for each bug, a column for each check."""
    names = _columns(matrix)
    width = max([len(row.name) for row in matrix.bugs], default=0)
    head = [f"{chr(ord('a') + n)} {name}" for n, name in enumerate(names)]
    rows = [f"{row.name:{width}}  {' '.join(_cells(row, names))}  {row.told}" for row in matrix.bugs]
    letters = " ".join(chr(ord("a") + n) for n in range(len(names)))
    clean = [*table(matrix.clean), ""] if matrix.clean else []
    return "\n".join([*head, "", f"{'':{width}}  {letters}", *rows, "", *clean, *_summary(matrix)])


def _columns(matrix: Matrix) -> list[str]:
    return list(dict.fromkeys(name for row in matrix.bugs for shot in row.shots for name in shot.checks))


def _cells(row: Row, names: list[str]) -> list[str]:
    """Of the last run: a capital in the column of the check that must catch it."""
    checks = row.shots[-1].checks if row.shots else {}
    letters = {name: LETTERS.get(checks.get(name, ""), " ") for name in names}
    return [letter.upper() if name == row.caught_by and letter == "x" else letter for name, letter in letters.items()]


def _summary(matrix: Matrix) -> Iterator[str]:
    yield f"{len(matrix.bugs) - len(matrix.missed)} of {len(matrix.bugs)} bugs caught by their own check"
    yield f"{len(matrix.alarms)} false alarms and {len(matrix.unjudged)} not judged in {len(matrix.clean)} clean runs"
    yield from (f"MISSED {row.name}: {row.told} ({row.caught_by} on {row.shown_by})" for row in matrix.missed)
    yield f"{matrix.seconds:,.0f} s"


def page(matrix: Matrix) -> str:
    """The same as one HTML page."""
    names = _columns(matrix)
    rows = [(row, _cells(row, names)) for row in matrix.bugs]
    folder, clean = Path(__file__).parent, "\n".join(table(matrix.clean))
    return document.render(
        "kill_matrix.html", folder=folder, header=_header(matrix), clean=clean, names=names, rows=rows
    )


def _header(matrix: Matrix) -> Header:
    caught, clean, *gaps, seconds = _summary(matrix)
    return Header(
        matrix.verdict,
        "kill matrix",
        f"{caught.capitalize()}; {clean}.",
        crumbs=["kill matrix", f"{len(matrix.bugs)} seeded bugs", f"{len(matrix.clean)} clean runs"],
        story="Each row is the reference with one defect, each column a check, each letter its verdict in the bug's "
        "last run:",
        gaps=gaps,
        tiles=[
            Tile("bugs caught", f"{len(matrix.bugs) - len(matrix.missed):,}"),
            Tile.counted("bugs missed", len(matrix.missed)),
            Tile.counted("false alarms", len(matrix.alarms)),
            Tile.counted("not judged", len(matrix.unjudged), "doubt"),
            Tile("time", seconds),
        ],
    )
