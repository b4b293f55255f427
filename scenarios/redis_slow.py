"""The queue answers late."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Redis answers 300 ms late for 12 s: everything takes longer, nothing is refused, lost or doubled.",
    load=Load(rate=120, baseline_s=3, shake_s=14, recover_s=6),
    timeline=(At(1, 13, faults.Latency("redis", ms=300)),),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.LatencyBudget(acknowledged_share=1.0),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
