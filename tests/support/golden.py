"""Golden files: the whole text of an output, without the parts that differ from machine to machine."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden"
#: What differs between machines, and its replacement.
VARYING = [
    (r"(?m)^(ok +Python: ).*", r"\1VERSION"),
    (r"(?m)^(ok +temporary folder: ).*", r"\1PATH"),
    (r"(?m)^(ok +(?:PostgreSQL|Toxiproxy): \S+ )\(.*\)", r"\1(PATH)"),
    (r"(?m)^(ok +Valkey: from ).*", r"\1PATH"),
    (r"(?m)^(ok +disk: )\d+", r"\1N"),
    (r"/home/user\b", "HOME"),  # of the saved runs
]


def normalised(text: str, places: dict[str, str]) -> str:
    """The text with each place of this machine by its name, and without spaces at the ends of lines."""
    for place, name in places.items():
        text = text.replace(place, name)
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


class Golden:
    """Compares a text with the file of its name in tests/golden, or writes the file."""

    def __init__(self, update: bool, places: dict[str, str]) -> None:
        self._update, self._places = update, places

    def check(self, name: str, text: str) -> None:
        """Raises AssertionError where they differ."""
        path, found = FOLDER / name, normalised(text, self._places)
        if self._update:
            path.write_text(found, encoding="utf-8")
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        assert found == kept, f"tests/golden/{name} differs: read the difference, then `make golden`"
