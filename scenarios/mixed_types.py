"""Many kinds of events at once, small and large, everyday and hostile."""

from shaketable import Load, Mix, Scenario, checks

SCENARIO = Scenario(
    story="Eight everyday kinds, hostile shapes, malformed ones, repeats, twins: each is kept as it was sent.",
    load=Load(rate=200, baseline_s=4, shake_s=16, recover_s=4, shape="wave"),
    mix=Mix(malformed=0.1, resent=0.1, twins=0.1, ordered=0.3, ordered_organizations=30, everyday=0.5),
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
        checks.LatencyBudget(acknowledged_within_s=1, stored_within_s=4),
    ),
)
