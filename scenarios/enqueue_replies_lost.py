"""What the queue has, without the intake hearing of it; and workers that are told to end with full batches in hand."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Three times the queue takes events and its replies are lost, slow workers are told to end: all stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=17, recover_s=6),
    timeline=(
        *(At(at, at + 3, faults.EnqueueReplyLost()) for at in (1, 7, 13)),
        At(1, 12.5, faults.Latency("postgres", ms=200)),  # so that a worker has a full batch in hand at any time
        At(4.5, 6.5, faults.Terminate("worker-1")),
        At(10, 12, faults.Terminate("worker-2")),
    ),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2, "batch_size": 20},
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
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
