"""The fields of a dead letter. The target wrote them, so none is taken for granted."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from shaketable import event

_FRACTION = re.compile(r"\.(\d+)")


def attempts(told: Any) -> int:
    """A number of attempts, or a list of them; 0 for anything else."""
    return len(told) if isinstance(told, list) else told if isinstance(told, int) else 0


def seconds(first: Any, last: Any) -> float | None:
    """From one time to another, as RFC 3339 or as numbers of seconds; None when they cannot be read."""
    if isinstance(first, str) and isinstance(last, str):
        began, ended = event.instant(first), event.instant(last)
        return None if began is None or ended is None else (ended - began) / 1e6
    if isinstance(first, int | float) and isinstance(last, int | float):
        with suppress(OverflowError):  # JSON bounds no number
            return float(last) - float(first)
    return None


def grain_s(*times: Any) -> float:
    """By how much the seconds between such times may be longer than they seem: they may be cut off to whole ones."""
    if any(isinstance(time, float) for time in times):
        return 0.0
    fractions = [_FRACTION.search(time) if isinstance(time, str) else None for time in times]
    return 10.0 ** -min(len(found[1]) if found else 0 for found in fractions)


def in_order(first: Any, last: Any) -> bool:
    """Two times, the first not later; one that cannot be read is None."""
    took = seconds(first, last)
    return took is not None and took >= 0
