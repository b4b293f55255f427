"""A worker dies in the middle of its work."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker of two is killed under load, later both: the other takes over within a lease, nothing doubles.",
    load=Load(rate=150, baseline_s=4, shake_s=16, recover_s=8),
    timeline=(At(1, 7, faults.Kill("worker-1")), At(11, 14, faults.Kill("worker"))),
    settings={"lease_s": 3, "health_grace_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.LatencyBudget(acknowledged_within_s=1, stored_within_s=6),
        checks.RecoversInTime(commit_within_s=4, healthy_within_s=6, backlog_within_s=8),
    ),
)
