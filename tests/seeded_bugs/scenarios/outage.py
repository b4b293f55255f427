"""The store becomes unavailable long enough for breaker and health to be judged."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is unavailable for 7 s: breakers open, try every 2 s, close; health says so; the backlog drains.",
    load=Load(rate=60, baseline_s=3, shake_s=9, recover_s=8),
    timeline=(At(1, 8, faults.Down("postgres")),),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.1,
        "retry_cap_s": 1,
        "attempt_timeout_s": 2,
        "lease_s": 2,
        "open_within_s": 3,
        "health_grace_s": 1,
    },
    drain_s=15,
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.IntakeSurvives(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.StatusHonest(),
        checks.RecoversInTime(backlog_within_s=6),
    ),
)
