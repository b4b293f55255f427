"""The queue becomes unavailable under load."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Redis is unavailable for 10 s: the intake accepts only what it can queue, clients retry, all is stored.",
    load=Load(rate=120, baseline_s=3, shake_s=12, recover_s=8),
    timeline=(At(1, 11, faults.Down("redis")),),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2},
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
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=5),
    ),
)
