"""One of two workers dies, and comes back."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker is killed for 3 s: its lanes go to the other, and nothing is lost.",
    load=Load(rate=60, baseline_s=2, shake_s=6, recover_s=5),
    timeline=(At(1, 4, faults.Kill("worker-1")),),
    settings={"lease_s": 2, "attempt_timeout_s": 2, "health_grace_s": 1, "breaker_recovery_s": 1},
    drain_s=10,
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.RecoversInTime(),
    ),
)
