"""The machine is busy with something else."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Others compute without pause for 12 s: the target gets slower, nothing is lost.",
    load=Load(rate=120, baseline_s=4, shake_s=14, recover_s=8),
    timeline=(At(1, 13, faults.CpuPressure()),),
    settings={"lease_s": 3, "health_grace_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=5, backlog_within_s=8),
    ),
)
