"""Ten times as many events for a few seconds."""

from shaketable import Load, Mix, Scenario, checks

SCENARIO = Scenario(
    story="100 events a second, then ten times as many for 3 s: all are taken, and stored within seconds.",
    load=Load(rate=190, baseline_s=5, shake_s=18, recover_s=7, shape="tenfold"),
    mix=Mix(ordered=0.04, ordered_organizations=40),  # one a second each in the burst: they wait for their answers
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
