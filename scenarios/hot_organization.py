"""One organization sends most of the events."""

from shaketable import Load, Mix, Scenario, checks

SCENARIO = Scenario(
    story="Four events of five are one organization's: it keeps its order, and nobody else waits behind it.",
    load=Load(rate=300, baseline_s=4, shake_s=16, recover_s=4),
    mix=Mix(hot=0.92),
    settings={"lease_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.StatusHonest(),
        checks.LatencyBudget(acknowledged_within_s=1, stored_within_s=3),
    ),
)
