"""The store's connections are reset at their first answer."""

from shaketable.checks import (
    BreakerBehaves,
    ContentIntact,
    HealthHonest,
    IntakeSurvives,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
)
from shaketable.faults import Reset
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Every connection to Postgres is reset at its first answer, for 10 s: breakers open, close, and all is kept.",
    load=Load(rate=120, baseline_s=3, shake_s=12, recover_s=8),
    timeline=(At(1, 11, Reset("postgres")),),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 4,
        "health_grace_s": 2,
    },
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        IntakeSurvives(),
        BreakerBehaves(),
        HealthHonest(),
        RecoversInTime(commit_within_s=4, closed_within_s=4, healthy_within_s=5, backlog_within_s=6),
    ),
)
