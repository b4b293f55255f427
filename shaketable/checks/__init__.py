"""The checks, and the names that a check of your own needs: `Check`, `Finding`, `Verdict`, `History`.

Each check is one file in `kinds` and one line here; other packages add theirs by the entry point below. `check` is the
protocol, `verdict` judges a run by all checks, `budget` names their limits, `event_trace` is the life of one event, and
`kin` says what it shares with others.
Helpers in `kinds`: `findings` (sets as counts and members), `spans` (times), `precedence` (inversions of real-time
order), `incarnation` and `breaker_rules` (the life of one breaker, and its rules), `slowness`, `letters` (the fields of
dead letters), `adapted` (malformed events under another id), `redelivered` (deliveries whose answer was lost),
`counters` (of /metrics, and Retry-After),
`last_seen` (of events that were lost or died), `losses` (which events were lost), `given` (budgets of the user's own).
Import public names from `shaketable.checks` alone: its modules may change in any release.
"""

from __future__ import annotations

from typing import Any

from shaketable.checks.check import Anomaly, Budget, Check, Column, Finding, Verdict
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
from shaketable.checks.kinds.status_honest import StatusHonest
from shaketable.evidence.history import History
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
        StatusHonest,
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


def anomalies() -> list[tuple[str, Anomaly]]:
    """Every anomaly with the name of its check, worst first."""
    found = [(name, each) for name, kind in CHECKS.kinds().items() for each in getattr(kind, "anomalies", ())]
    return sorted(found, key=lambda pair: pair[1].rank)


__all__ = [
    "CHECKS",
    "Anomaly",
    "BreakerBehaves",
    "Budget",
    "Check",
    "Column",
    "ContentIntact",
    "DeadLettersExplained",
    "Finding",
    "HealthHonest",
    "History",
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
    "StatusHonest",
    "Verdict",
    "anomalies",
    "from_spec",
    "to_spec",
]
