"""A worker falls silent for longer than its lease, and wakes as if nothing had happened."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="A worker freezes for three leases and wakes with old work in hand: others delivered it, nothing doubles.",
    load=Load(rate=200, baseline_s=4, shake_s=18, recover_s=8),
    timeline=(At(1, 10, faults.Pause("worker-1")), At(12, 16, faults.Pause("worker-2"))),
    settings={"lease_s": 3, "attempt_timeout_s": 2, "batch_linger_s": 0.02, "health_grace_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.LatencyBudget(acknowledged_within_s=1, stored_within_s=6),
        checks.Isolated(),
        checks.RecoversInTime(commit_within_s=4, healthy_within_s=6, backlog_within_s=10),
    ),
)
