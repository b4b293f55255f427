"""The SQL of deliveries: each query of queries.sql by its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, LiteralString

from reference_impl.resilience.watchdog import Connection

_TEXT = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_WITHOUT_COMMENTS = re.sub(r"^-- (?!name: ).*\n", "", _TEXT, flags=re.MULTILINE)
_, *_PARTS = re.split(r"-- name: (\w+)\n", _WITHOUT_COMMENTS)
_QUERIES: dict[str, LiteralString] = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))


def query(name: str) -> LiteralString:
    """The text of this query, which may have {parts} to fill in."""
    return _QUERIES[name]


async def fetch_value(connection: Connection, text: LiteralString, *values: object) -> Any:
    """The first column of the first row; None if there is no row."""
    row = await (await connection.execute(text, values)).fetchone()
    return row[0] if row else None
