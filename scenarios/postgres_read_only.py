"""Postgres answers, and takes no writes."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is read-only for 10 s: reads succeed, yet breaker and health say that nothing is stored.",
    load=Load(rate=120, baseline_s=3, shake_s=12, recover_s=7),
    timeline=(At(1, 11, faults.ReadOnly()),),
    settings={"breaker_recovery_s": 2, "retry_base_s": 0.2, "lease_s": 3, "open_within_s": 5, "health_grace_s": 2},
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
        checks.RetriesBounded(),
        checks.RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=5, backlog_within_s=8),
    ),
)
