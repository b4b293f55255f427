"""The store is slower than anybody waits."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres answers 1.5 s late, later than an attempt may take: statements are done, given up and done again.",
    load=Load(rate=120, baseline_s=3, shake_s=14, recover_s=8),
    timeline=(At(1, 13, faults.Latency("postgres", ms=1500)),),
    settings={
        "attempt_timeout_s": 1,
        "connect_timeout_s": 1,
        "breaker_recovery_s": 2,
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
        checks.RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=6, backlog_within_s=7),
    ),
)
