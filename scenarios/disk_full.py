"""The disk of Postgres is full, then that of Valkey."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The disk of Postgres is full for 6 s, that of Valkey for 3 s: writes are refused, nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=17, recover_s=6),
    timeline=(At(2, 8, faults.DiskFull("postgres")), At(12, 15, faults.DiskFull("redis"))),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "lease_s": 3,
        "open_within_s": 3,
        "health_grace_s": 1,
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
        checks.RecoversInTime(),
    ),
)
