"""The store becomes unavailable for a moment."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is unavailable for 3 s: intake goes on, the backlog drains, nothing is lost.",
    load=Load(rate=60, baseline_s=1, shake_s=5, recover_s=2),
    timeline=(At(1, 4, faults.Down("postgres")),),
    mix=Mix(ordered=0.5),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.1, "retry_cap_s": 1, "lease_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.RetriesBounded(),
    ),
)
