"""A thousand events a second, for as long as the run lasts."""

from shaketable import Load, Mix, Scenario, checks

SCENARIO = Scenario(
    story="A thousand events a second for 20 s: the backlog stays short, every event is stored once and in time.",
    load=Load(rate=1000, baseline_s=3, shake_s=14, recover_s=3),
    mix=Mix(resent=0.01, ordered=0.04, ordered_organizations=40),  # one a second each: they wait for their answers
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
