"""The store crashes three times under load, and comes back each time."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is killed three times and started again: what it had committed is there, and nothing is lost.",
    load=Load(rate=150, baseline_s=1, shake_s=14, recover_s=1),
    timeline=(
        At(1, 2.5, faults.PostgresCrash()),
        At(6, 7.5, faults.PostgresCrash()),
        At(11, 12.5, faults.PostgresCrash()),
    ),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.1, "retry_cap_s": 1, "lease_s": 2},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.OrderKept()),
)
