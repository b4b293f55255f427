"""One failure fewer than the breaker's threshold."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker's next 4 writes fail: with a threshold of 5 its breaker stays closed.",
    load=Load(rate=60, baseline_s=1, shake_s=6, recover_s=2),
    timeline=(At(1, 5, faults.FailNext(4, process="worker")),),
    counts={"worker": 1},
    settings={
        "breaker_failure_threshold": 5,
        "breaker_recovery_s": 1,
        "retry_base_s": 0.1,
        "retry_cap_s": 1,
        "lease_s": 2,
    },
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.BreakerBehaves(),
    ),
)
