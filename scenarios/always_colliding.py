"""Some events collide at every try, and nothing else is wrong with the store."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One event in 200 collides at every try (40001): its retries are used up and it is dead, no breaker opens.",
    load=Load(rate=120, baseline_s=2, shake_s=14, recover_s=4),
    timeline=(At(1, 13, faults.RejectRows(0.005, sqlstate="40001")),),
    settings={"retry_base_s": 0.05, "retry_cap_s": 0.2, "lease_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.DeadLettersExplained(),
        checks.Isolated(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.LatencyBudget(),
        checks.RecoversInTime(),
        checks.RetriesBounded(),
    ),
)
