"""Somebody else takes every connection that the store gives away."""

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
from shaketable.faults import ExhaustConnections, TerminateBackends
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Sessions are ended 3 times, then no connection is left for 11 s: workers wait, and nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=18, recover_s=6),
    timeline=(At(1, 4, TerminateBackends(every_s=1)), At(6, 17, ExhaustConnections())),
    settings={"breaker_recovery_s": 2, "retry_base_s": 0.2, "lease_s": 3, "open_within_s": 4, "health_grace_s": 1},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        IntakeSurvives(),
        BreakerBehaves(),
        HealthHonest(),
        RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=5, backlog_within_s=8),
    ),
)
