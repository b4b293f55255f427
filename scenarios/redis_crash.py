"""The queue's server crashes."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Valkey is killed for 6 s and for 1 s: nothing is accepted meanwhile, and what was accepted before is there.",
    load=Load(rate=100, baseline_s=3, shake_s=16, recover_s=7),
    timeline=(At(1, 7, faults.ValkeyCrash()), At(12, 13, faults.ValkeyCrash())),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.RecoversInTime(commit_within_s=4, healthy_within_s=4, backlog_within_s=8),
    ),
)
