"""The store becomes unavailable and comes back, again and again."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is cut off for 0.7 s of every 2.2 s: sessions break in mid-batch, nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=16, recover_s=8),
    timeline=(At(1, 15, faults.Flaky("postgres", down_ms=700, up_ms=1500)),),
    settings={
        "breaker_failure_threshold": 3,
        "breaker_recovery_s": 1,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "health_grace_s": 2,
    },
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.RecoversInTime(commit_within_s=3, closed_within_s=3, healthy_within_s=5, backlog_within_s=5),
        checks.LatencyBudget(),
    ),
)
