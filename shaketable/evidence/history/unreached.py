"""Settings of a scenario that did not reach the target: the scenario's own budgets were made for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shaketable.target import settings

if TYPE_CHECKING:
    from shaketable.evidence.history.history import History

#: Settings without a bound in [timing]: how long a target that lacks them pauses is unknown.
PAUSES = ("retry_base_s", "retry_cap_s", "batch_linger_s")


def unreached(history: History) -> dict[str, float | str]:
    """The scenario's settings that the target does not take."""
    asked = history.scenario.settings
    return {name: value for name, value in asked.items() if name not in history.target.settings}


def longer_s(history: History) -> dict[str, float]:
    """By name in [timing]: seconds by which the target's own bound exceeds a setting that did not reach it."""
    claims, found = history.capabilities, settings.longer_s(unreached(history), history.timing)
    unclaimed = {"recovery_s": not claims.breaker, "health_grace_s": not claims.health}
    return {name: seconds for name, seconds in found.items() if not unclaimed.get(name)}


def pauses_unknown(history: History) -> bool:
    """Whether a pause for which the scenario's budgets were made did not reach the target."""
    return any(name in unreached(history) for name in PAUSES)
