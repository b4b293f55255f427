"""The breaker's threshold, to the one: four failures leave it closed, five open it."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker's next 4 writes fail, later 5: its breaker stays closed, then opens, and nothing is lost.",
    load=Load(rate=60, baseline_s=2, shake_s=14, recover_s=6),
    timeline=(At(1, 5, faults.FailNext(4, process="worker")), At(7, 12, faults.FailNext(5, process="worker"))),
    counts={"worker": 1},
    settings={
        "breaker_failure_threshold": 5,
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
    },
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.BreakerBehaves(),
    ),
)
