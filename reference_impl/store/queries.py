"""The SQL of deliveries: each query of queries.sql by its name."""

import re
from pathlib import Path
from typing import LiteralString


def load(module: str) -> dict[str, LiteralString]:
    """The queries of the .sql file next to a module, by name. Pass its `__file__`."""
    text = Path(module).with_suffix(".sql").read_text(encoding="utf-8")
    without_comments = re.sub(r"^-- (?!name: ).*\n", "", text, flags=re.MULTILINE)
    _, *parts = re.split(r"-- name: (\w+)\n", without_comments)
    return dict(zip(parts[::2], parts[1::2], strict=True))


#: The text of a query by its name, which may have {parts} to fill in.
query = load(__file__).__getitem__
