"""Helpers of all checks: unknown with a reason, and sets of events as counts and members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from shaketable import plural
from shaketable.checks.check import MEMBERS, Finding, Verdict

if TYPE_CHECKING:
    from shaketable.evidence.history import History

Flags = NDArray[np.bool_]
T = TypeVar("T")


def unknown(why: str) -> Finding:
    """Nothing can be said."""
    return Finding(Verdict.UNKNOWN, why=why)


def not_applicable(why: str) -> Finding:
    """The target does not claim the capability that the law is about."""
    return Finding(Verdict.NOT_APPLICABLE, why=why)


def unseen(history: History) -> Finding | None:
    """Why no event can be judged: the sent or the stored events are unknown."""
    if history.events is None:
        return unknown("schedule.jsonl is missing: nobody knows what was meant to be sent")
    if history.stored is None:
        return unknown("stored.jsonl is missing: the run was cut off before it observed what was kept")
    return None


def members(history: History, **sets: Flags) -> dict[str, list[str]]:
    """The ids of each set of events, evenly taken of many; empty sets are left out."""
    numbers = {name: evenly(np.flatnonzero(flags).tolist()) for name, flags in sets.items()}
    return {name: history.ids(np.array(found)) for name, found in numbers.items() if found}


def some(**lists: list[str]) -> dict[str, list[str]]:
    """Each list, evenly taken of many; empty ones are left out."""
    return {name: evenly(found) for name, found in lists.items() if found}


def evenly(found: list[T]) -> list[T]:
    """All; of more than MEMBERS so many, evenly taken: the first alone would say that it all went wrong early."""
    step = (len(found) - 1) / (MEMBERS - 1)
    return [found[round(n * step)] for n in range(MEMBERS)] if len(found) > MEMBERS else found


def misses(late: int, asked: int, share: float) -> bool:
    """Whether so many late ones leave less than the share in time; a share met exactly is no miss."""
    return late - (1 - share) * asked > 1e-6


def counts(**numbers: Any) -> dict[str, int | float]:
    """Sums of flags, lengths of lists, numbers as they are."""
    return {name: _count(value) for name, value in numbers.items()}


def _count(value: Any) -> int | float:
    if isinstance(value, list):
        return len(value)
    if isinstance(value, np.ndarray):
        return int(value.sum())
    return round(float(value), 3) if isinstance(value, float | np.floating) else int(value)


def failing(sets: Mapping[str, str], found: Mapping[str, int | float]) -> str:
    """A sentence from those of `sets` (name → meaning) that are not empty; "" when all are."""
    return "; ".join(plural.counted(found[name], meaning) for name, meaning in sets.items() if found.get(name))
