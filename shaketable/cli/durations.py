"""Durations as options: `90s`, `10m`, `1h`; a number alone is seconds."""

from __future__ import annotations

import re

from shaketable.errors import InputError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")


def seconds(text: str) -> float:
    """The seconds of a duration. Raises InputError for another form, and for none at all."""
    found = _FORM.fullmatch(text.strip())
    total = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if total <= 0:
        raise InputError(f"expected a duration such as 90s, 10m or 1h, got {text!r}")
    return total
