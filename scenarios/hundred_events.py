"""An acceptance test: a hundred events, five seconds."""

from shaketable import Load, Mix, Scenario, checks

SCENARIO = Scenario(
    story="A hundred events in 2 s: all are stored within 5 s, and health stays above 70.",
    load=Load(rate=50, baseline_s=0.5, shake_s=1, recover_s=0.5),
    mix=Mix(malformed=0, resent=0.1, ordered=0.5),
    settings={"lease_s": 2},
    drain_s=5,
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.HealthHonest(),
        checks.LatencyBudget(stored_within_s=5, stored_share=1),
    ),
)
