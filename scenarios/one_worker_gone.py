"""A worker dies, and nobody replaces it."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker of two is killed and stays away to the end: the other takes its lanes over, all is stored.",
    load=Load(rate=120, baseline_s=3, shake_s=18, recover_s=1),
    timeline=(At(1, 18, faults.Kill("worker-1")),),
    settings={"lease_s": 3, "health_grace_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.Isolated(within_s=6),
        checks.HealthHonest(),
        checks.LatencyBudget(acknowledged_within_s=1, stored_within_s=6),
    ),
)
