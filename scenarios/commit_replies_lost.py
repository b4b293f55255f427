"""What is stored, without the worker hearing of it."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Each second a COMMIT succeeds and its reply is lost: the batch is offered again, and stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=6),
    timeline=(At(1, 14, faults.CommitReplyLost(every_s=1)),),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.2, "retry_cap_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.LatencyBudget(),
        checks.RecoversInTime(commit_within_s=3, closed_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
