"""The store's answers stop coming, and nobody hangs up."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Links to Postgres swallow everything for 12 s: nobody hangs up, no worker hangs, all is kept.",
    load=Load(rate=120, baseline_s=3, shake_s=14, recover_s=8),
    timeline=(At(1, 13, faults.Silence("postgres")),),
    settings={
        "attempt_timeout_s": 1,
        "connect_timeout_s": 1,
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 8,
        "health_grace_s": 2,
    },
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
        checks.RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=6, backlog_within_s=7),
    ),
)
