"""The catalogue of checks: one file each, one line each here; packages may add theirs by the entry point below.

What they share: `findings` (sets as counts and members), `spans` (times), `precedence` (inversions of real-time order),
`incarnation` and `breaker_rules` (one breaker's life and what it must keep), `slowness`, `letters` (what one says),
`adapted` (malformed events under another id), `last_seen` (of events that were lost or died).
"""

from __future__ import annotations

from typing import Any

from shaketable.checks.check import Check
from shaketable.checks.kinds.breaker_behaves import BreakerBehaves
from shaketable.checks.kinds.content_intact import ContentIntact
from shaketable.checks.kinds.dead_letters_explained import DeadLettersExplained
from shaketable.checks.kinds.health_honest import HealthHonest
from shaketable.checks.kinds.intake_survives import IntakeSurvives
from shaketable.checks.kinds.isolated import Isolated
from shaketable.checks.kinds.latency_budget import LatencyBudget
from shaketable.checks.kinds.memory_bounded import MemoryBounded
from shaketable.checks.kinds.no_duplicates import NoDuplicates
from shaketable.checks.kinds.no_loss import NoLoss
from shaketable.checks.kinds.nothing_invented import NothingInvented
from shaketable.checks.kinds.order_kept import OrderKept
from shaketable.checks.kinds.recovers_in_time import RecoversInTime
from shaketable.checks.kinds.refuses_rightly import RefusesRightly
from shaketable.checks.kinds.retries_bounded import RetriesBounded
from shaketable.registry import Registry

#: Checks by name. Other packages register theirs under the entry point group of this name.
CHECKS: Registry[Check] = Registry(
    "shaketable.checks",
    "check",
    [
        NoLoss,
        NoDuplicates,
        NothingInvented,
        OrderKept,
        ContentIntact,
        RefusesRightly,
        IntakeSurvives,
        LatencyBudget,
        BreakerBehaves,
        HealthHonest,
        RecoversInTime,
        DeadLettersExplained,
        RetriesBounded,
        Isolated,
        MemoryBounded,
    ],
    key="name",
)


def from_spec(spec: dict[str, Any]) -> Check:
    """The check of `{"name": "no_loss", …budgets}`. Raises InputError for a name or budget that nobody knows."""
    return CHECKS.from_spec(spec)


def to_spec(check: Check) -> dict[str, Any]:
    """A check as JSON-able data, such as scenario.json holds."""
    return CHECKS.to_spec(check)


__all__ = [
    "CHECKS",
    "BreakerBehaves",
    "ContentIntact",
    "DeadLettersExplained",
    "HealthHonest",
    "IntakeSurvives",
    "Isolated",
    "LatencyBudget",
    "MemoryBounded",
    "NoDuplicates",
    "NoLoss",
    "NothingInvented",
    "OrderKept",
    "RecoversInTime",
    "RefusesRightly",
    "RetriesBounded",
    "from_spec",
    "to_spec",
]
