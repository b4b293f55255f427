"""Each server's disk takes long to sync."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Every sync of Valkey takes 300 ms longer, then those of Postgres 400 ms: all is later, nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=17, recover_s=6),
    timeline=(At(1, 7, faults.SlowSync("redis", ms=300)), At(9, 15, faults.SlowSync("postgres", ms=400))),
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
    ),
)
