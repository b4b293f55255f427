"""The control: nothing breaks, so nothing may be blamed."""

from shaketable import Load, Mix, Scenario, checks

SCENARIO = Scenario(
    story="Nothing goes wrong: 120 events a second for 15 s, and every one of them is stored, once and in order.",
    load=Load(rate=120, baseline_s=3, shake_s=9, recover_s=3),
    mix=Mix(resent=0.1),  # many of them, since a race between a resend and its event is rare
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
        checks.LatencyBudget(),
    ),
)
