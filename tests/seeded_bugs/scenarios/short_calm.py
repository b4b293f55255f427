"""Nothing breaks, for a few seconds, with many malformed and resent events."""

from shaketable import Load, Mix, Scenario, checks

SCENARIO = Scenario(
    story="Nothing goes wrong for 6 s; one event in ten is malformed, one in ten is sent again.",
    load=Load(rate=60, baseline_s=1, shake_s=4, recover_s=1),
    mix=Mix(malformed=0.1, resent=0.1),
    settings={"lease_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.LatencyBudget(),
    ),
)
