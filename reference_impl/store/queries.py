"""The SQL of deliveries: each query of queries.sql by its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, LiteralString

from reference_impl.resilience.watchdog import Connection


def load(module: str) -> dict[str, LiteralString]:
    """The queries of the .sql file next to a module, by name. Pass its `__file__`."""
    text = Path(module).with_suffix(".sql").read_text(encoding="utf-8")
    without_comments = re.sub(r"^-- (?!name: ).*\n", "", text, flags=re.MULTILINE)
    _, *parts = re.split(r"-- name: (\w+)\n", without_comments)
    return dict(zip(parts[::2], parts[1::2], strict=True))


_QUERIES = load(__file__)


def query(name: str) -> LiteralString:
    """The text of this query, which may have {parts} to fill in."""
    return _QUERIES[name]


async def fetch_value(connection: Connection, text: LiteralString, *values: object) -> Any:
    """The first column of the first row; None if there is no row."""
    row = await (await connection.execute(text, values)).fetchone()
    return row[0] if row else None
