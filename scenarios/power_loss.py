"""Each server loses power in the middle of its work, and with it every write that no sync has covered."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Valkey and Postgres lose power, each for 4 s: every unsynced write is gone, and no acknowledged event is.",
    load=Load(rate=120, baseline_s=3, shake_s=17, recover_s=6),
    timeline=(At(2, 6, faults.PowerLoss("redis")), At(11, 15, faults.PowerLoss("postgres"))),
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
