"""Some events collide at every try, in the only lane there is."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One event in a hundred collides at every try (40001): those alone become dead letters, no breaker opens.",
    load=Load(rate=40, baseline_s=1, shake_s=8, recover_s=2),
    timeline=(At(0.5, 7.5, faults.RejectRows(0.01, sqlstate="40001")),),
    settings={"concurrency": 1, "retry_base_s": 0.05, "retry_cap_s": 0.2, "breaker_recovery_s": 1, "lease_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.DeadLettersExplained(),
        checks.BreakerBehaves(),
    ),
)
