"""The queue's server has no memory left."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Valkey refuses all writes for 8 s: so does the intake, while what is queued is delivered and deleted.",
    load=Load(rate=100, baseline_s=3, shake_s=11, recover_s=7),
    timeline=(At(1, 9, faults.OutOfMemory()),),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=3, backlog_within_s=8),
    ),
)
