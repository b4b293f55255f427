"""Tables, and one writer for each form: text, Markdown, JSON and CSV. Callers only build tables."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from csv import DictWriter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from rich import table as rich
from rich.console import Console
from rich.text import Text

from shaketable.text import escaped, number, visible

#: Columns of a report's text.
WIDTH = 100
#: Columns without a terminal, in a pipe or a log.
WIDE = 400


class Form(StrEnum):
    """The values of `--format`; a table of text is for a terminal."""

    TABLE = "table"
    MD = "md"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True)
class TableColumn:
    """A column; without any name in a table, its text has no header."""

    name: str = ""
    right: bool = False  # aligned to the right, as numbers are
    unit: str = ""
    key: str = ""  # its name in JSON; that of the column by default
    missing: str = "–"  # an unknown value in text; Markdown has a dash, JSON null, CSV nothing

    @property
    def heading(self) -> str:
        """The name with the unit."""
        return f"{self.name} {self.unit}".strip()


@dataclass(frozen=True)
class Styled:
    """A cell that has a colour at a terminal."""

    text: str
    style: str

    def __str__(self) -> str:
        return self.text


#: The value of a cell; None is unknown. Foreign text needs no preparation.
Cell = str | int | float | Styled | None


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns, with a title above and notes below."""

    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    notes: Sequence[str] = ()


def of(rows: Sequence[Mapping[str, Any]], row: str = "") -> Table:
    """A table of records, with every column that any of them has. The key "row" names a row; `row` is its heading."""
    keys = dict.fromkeys(key for each in rows for key in each)
    cells = {key: [None if (value := each.get(key)) != value else value for each in rows] for key in keys}
    columns = [
        TableColumn(row if key == "row" else key, not any(isinstance(each, str) for each in column), "", key, "-")
        for key, column in cells.items()
    ]
    return Table(columns, list(zip(*cells.values(), strict=True)))


def terminal() -> Console:
    """Standard output; in a pipe no line is wrapped."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def show(console: Console, *tables: Table) -> None:
    """Print the first of the tables that fits unwrapped, or the last one: title, rows, and a line for each note."""
    options = console.options.update(max_width=WIDE)
    widths = [console.measure(text(table), options=options).maximum for table in tables]
    table = next((each for each, width in zip(tables, widths, strict=True) if width <= console.width), tables[-1])
    if table.title:
        console.print(Text(visible(table.title), "bold"))
    console.print(text(table))
    for note in table.notes:
        console.print(Text(visible(note)), soft_wrap=True)


def text(table: Table) -> rich.Table:
    """For a terminal."""
    headings = [column.heading for column in table.columns]
    made = rich.Table(box=None, pad_edge=False, header_style="", show_header=any(headings))
    for column, heading in zip(table.columns, headings, strict=True):
        made.add_column(Text(visible(heading)), justify="right" if column.right else "left")
    for row in table.rows:
        made.add_row(*(_text(column, cell) for column, cell in zip(table.columns, row, strict=True)))
    return made


def plain(table: Table, width: int = WIDTH) -> str:
    """The rows as a string; "" for an empty table."""
    out = io.StringIO()
    if table.rows:
        Console(file=out, width=width, color_system=None).print(text(table))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def markdown(table: Table, escape: Callable[[str], str] = escaped) -> str:
    """As GitHub draws it; an empty table has only its title and notes."""
    rule = ["---:" if column.right else "---" for column in table.columns]
    cells = [[escape(number(cell)) for cell in row] for row in table.rows]
    lines = [[escape(column.heading) for column in table.columns], rule, *cells] if cells else []
    grid = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    title = f"### {escape(table.title)}" if table.title else ""
    return "\n\n".join(filter(None, [title, grid, *map(escape, table.notes)]))


def records(table: Table) -> list[dict[str, object]]:
    """A dictionary for each row, for JSON and CSV."""
    keys = [column.key or column.name for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def json(value: object) -> str:
    """Indented for people; a workflow's runner that reads it too finds no command (`##[`) in it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode().replace("##[", r"#\u0023[")


def csv(rows: Iterable[Mapping[str, object]]) -> str:
    """Under one header: every column that any of the records has; "" without any.

    Foreign text is made visible: CSV has no escapes for control characters or for the commands of a workflow's runner.
    """
    held, out = list(rows), io.StringIO()
    writer = DictWriter(out, dict.fromkeys(key for row in held for key in row), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _visible(cell) for key, cell in row.items()} for row in held)
    return out.getvalue().rstrip("\n")


def _visible(cell: object) -> object:
    return visible(str(cell)) if isinstance(cell, str | Styled) else cell


def _text(column: TableColumn, cell: Cell) -> Text:
    shown = column.missing if cell is None else str(round(cell, 2) if isinstance(cell, float) else cell)
    return Text(visible(shown), cell.style if isinstance(cell, Styled) else "")
