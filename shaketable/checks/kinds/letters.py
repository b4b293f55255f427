"""The fields of a dead letter. The target wrote them, so none is taken for granted."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from shaketable import event


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


def in_order(first: Any, last: Any) -> bool:
    """Two times, the first not later; one that cannot be read is None."""
    took = seconds(first, last)
    return took is not None and took >= 0
