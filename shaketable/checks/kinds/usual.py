"""The time in which a target is well again after the last healing, by the bounds of its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from shaketable.target.manifest import Timing

#: How often each bound of [timing] counts in the budgets that a check leaves out.
USUAL = {"recovery_s": 2, "lease_s": 1, "attempt_timeout_s": 1, "health_grace_s": 1}


def usual_s(timing: Timing) -> float:
    """Seconds from the last healing in which a target of this timing is well again."""
    return total_s(msgspec.structs.asdict(timing))


def total_s(bounds_s: Mapping[str, float]) -> float:
    """The sum of these bounds in seconds, each as often as it counts."""
    return sum(times * bounds_s.get(name, 0.0) for name, times in USUAL.items())
