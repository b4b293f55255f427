"""Some events can never be stored."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The store refuses one event in a hundred for good: they become dead letters, and hold up nobody else.",
    load=Load(rate=120, baseline_s=2, shake_s=14, recover_s=4),
    timeline=(At(1, 13, faults.RejectRows(0.01)),),
    settings={"retry_base_s": 0.1, "retry_cap_s": 0.5, "lease_s": 3},
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
