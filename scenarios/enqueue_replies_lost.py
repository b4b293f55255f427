"""What the queue has, without the intake hearing of it."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Three times the queue takes events and its replies are lost: clients send them again, all are stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=17, recover_s=6),
    timeline=tuple(At(at, at + 3, faults.EnqueueReplyLost()) for at in (1, 7, 13)),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.HealthHonest(),
        checks.LatencyBudget(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
