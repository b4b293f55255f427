"""Somebody else takes every connection that the store gives away."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Sessions are ended 3 times, then no connection is left for 11 s: workers wait, and nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=18, recover_s=6),
    timeline=(At(1, 4, faults.TerminateBackends(every_s=1)), At(6, 17, faults.ExhaustConnections())),
    settings={"breaker_recovery_s": 2, "retry_base_s": 0.2, "lease_s": 3, "open_within_s": 4, "health_grace_s": 1},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.IntakeSurvives(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.StatusHonest(),
        checks.RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=5, backlog_within_s=8),
        checks.RetriesBounded(),
    ),
)
