"""Some events can never be stored."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The store refuses one event in thirty for good: those alone become dead letters.",
    load=Load(rate=60, baseline_s=1, shake_s=8, recover_s=2),
    timeline=(At(0.5, 7.5, faults.RejectRows(0.03)),),
    settings={"retry_base_s": 0.1, "retry_cap_s": 0.5, "batch_linger_s": 0.5, "lease_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.DeadLettersExplained(),
        checks.Isolated(),
        checks.BreakerBehaves(),
        checks.StatusHonest(),
    ),
)
