"""A check and a history with longer times, for a run on a machine that other programs kept busy."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import msgspec

from shaketable.checks.check import Check
from shaketable.evidence.history import History

#: How often a budget of time must be exceeded to count.
PATIENCE = 4
#: The ends of the names of fields that are times, or multiples of times.
TIMES = ("_s", "_times")


def patient(check: Check, history: History) -> tuple[Check, History] | None:
    """Both with PATIENCE times the budgets: the check's own, and the target's bounds that stand for those left out.

    None for a check that is no dataclass, whose budgets nobody knows.
    """
    if not is_dataclass(check):
        return None
    own = {each.name: getattr(check, each.name) for each in fields(check)}
    timing = msgspec.structs.replace(history.timing, **_longer(msgspec.structs.asdict(history.timing)))
    target = msgspec.structs.replace(history.target, timing=timing)
    return replace(check, **_longer(own)), replace(history, target=target)


def _longer(values: dict[str, Any]) -> dict[str, Any]:
    times = {name: value for name, value in values.items() if name.endswith(TIMES)}
    return {name: value * PATIENCE for name, value in times.items() if isinstance(value, int | float)}
