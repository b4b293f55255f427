"""Each server's disk fails its syncs, and the servers end, as they should."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The syncs of Valkey fail for 3 s, those of Postgres for 4 s: both servers end, and nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=18, recover_s=6),
    timeline=(At(2, 5, faults.FailingSync("redis")), At(10, 14, faults.FailingSync("postgres"))),
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
        checks.IntakeSurvives(),
        checks.BreakerBehaves(),
        checks.RecoversInTime(),
    ),
)
