"""The store goes away under load, comes back slow, then well."""

from shaketable.checks import (
    BreakerBehaves,
    ContentIntact,
    HealthHonest,
    IntakeSurvives,
    LatencyBudget,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
    RetriesBounded,
)
from shaketable.faults import Down, Latency
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Postgres is away for 15 s, then 300 ms late for 8 s: intake goes on, the backlog drains, nothing is lost.",
    load=Load(rate=120, baseline_s=4, shake_s=24, recover_s=8),
    timeline=(At(1, 16, Down("postgres")), At(16, 24, Latency("postgres", ms=300))),
    settings={
        "breaker_failure_threshold": 5,
        "breaker_recovery_s": 3,
        "retry_base_s": 0.2,
        "retry_cap_s": 2,
        "lease_s": 5,
        "open_within_s": 6,
        "health_grace_s": 2,
    },
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        IntakeSurvives(),
        BreakerBehaves(),
        HealthHonest(),
        RecoversInTime(),
        RetriesBounded(),
        LatencyBudget(),
    ),
)
