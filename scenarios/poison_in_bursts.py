"""Many events in a row can never be stored."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Bursts of 60 events come that the store refuses for good: they become dead letters, and no breaker opens.",
    load=Load(rate=120, baseline_s=2, shake_s=11, recover_s=4),
    timeline=(At(1, 10, faults.RejectRows(0.2, run=60)),),
    settings={"breaker_failure_threshold": 5, "retry_base_s": 0.1, "retry_cap_s": 0.5, "lease_s": 3},
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
        checks.StatusHonest(),
        checks.LatencyBudget(),
        checks.RecoversInTime(),
        checks.RetriesBounded(),
    ),
)
