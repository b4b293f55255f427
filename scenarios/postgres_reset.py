"""The store's connections are reset at their first answer."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Every connection to Postgres is reset at its first answer, for 10 s: breakers open, close, and all is kept.",
    load=Load(rate=120, baseline_s=3, shake_s=12, recover_s=8),
    timeline=(At(1, 11, faults.Reset("postgres")),),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 4,
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
        checks.RecoversInTime(commit_within_s=4, closed_within_s=4, healthy_within_s=5, backlog_within_s=6),
    ),
)
