"""A table in the form that is asked for: text, Markdown, JSON or CSV. The names of its rows are its first column."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
import pandas as pd

from shaketable.report.ci.github import escaped
from shaketable.text import number, visible

#: Characters that a table of text may be wide.
WIDTH = 100


class Form(StrEnum):
    """The values of `--format`; a table of text is for a terminal."""

    TABLE = "table"
    MD = "md"
    JSON = "json"
    CSV = "csv"


def text(table: pd.DataFrame) -> str:
    """Aligned columns, folded where they are wider than `WIDTH`; "" for an empty table."""
    shown = table.map(_shown).rename(index=_shown, columns=_shown)
    return shown.to_string(line_width=WIDTH, na_rep="-", index=_named(table)) if len(table) else ""


def markdown(table: pd.DataFrame) -> str:
    """As GitHub draws it: numbers to the right, a dash for an unknown value; "" for an empty table."""
    if not len(table):
        return ""
    flat = _flat(table)
    rule = ["---:" if pd.api.types.is_numeric_dtype(flat[name]) else "---" for name in flat]
    rows = [[number(value) for value in row] for row in flat.astype(object).itertuples(index=False)]
    return "\n".join(_line(cells) for cells in ([str(name) for name in flat], rule, *rows))


def records(table: pd.DataFrame) -> list[dict[str, object]]:
    """A dictionary for each row, ready for JSON: an unknown value is null."""
    flat = _flat(table, "row").astype(object)
    return flat.where(flat.notna(), None).to_dict(orient="records")  # type: ignore[return-value]


def json(value: object) -> str:
    """Indented for people; a workflow's runner that reads it too finds no command (`##[`) in it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode().replace("##[", r"#\u0023[")


def csv(*tables: tuple[Mapping[str, str], pd.DataFrame]) -> str:
    """Under one header: the marks of each table (its run, its name), its row's name, every column that any has."""
    marks = list(dict.fromkeys(mark for marked, _ in tables for mark in marked))
    rows = [_flat(table, "row").astype(object).assign(**marked) for marked, table in tables if len(table)]
    if not rows:
        return ""
    whole = pd.concat(rows)
    first = [*marks, *(["row"] if "row" in whole else [])]
    return whole[[*first, *(name for name in whole if name not in first)]].to_csv(index=False).rstrip("\n")


def _named(table: pd.DataFrame) -> bool:
    """Whether its rows have names, not mere numbers."""
    return not isinstance(table.index, pd.RangeIndex)


def _flat(table: pd.DataFrame, name: str = "") -> pd.DataFrame:
    """The rows' names as a column, under their own name or the given one."""
    return (
        table.reset_index(names=name or ("" if table.index.name is None else str(table.index.name)))
        if _named(table)
        else table
    )


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) else value


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"
