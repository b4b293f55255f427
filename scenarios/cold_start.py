"""Processes start while what they need is not there, and while work waits for them."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Redis, then Postgres, is unavailable while processes start, the workers into a backlog: nothing is lost.",
    load=Load(rate=100, baseline_s=4, shake_s=23, recover_s=8),
    timeline=(
        At(0.5, 7, faults.Kill("worker")),  # both start at once, with hundreds of events in the queue
        At(4, 8, faults.Down("redis", mode="refused")),
        At(4.5, 6.5, faults.Restart("intake", mode="kill")),
        At(12, 21, faults.Down("postgres", mode="refused")),
        At(13, 19, faults.Restart("worker", mode="kill")),
        At(16, 20, faults.Restart("intake", mode="kill")),
    ),
    mix=Mix(month_ends=0.15),  # so that both workers meet the same months without a partition
    settings={
        "batch_size": 50,  # several batches a lane
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 6,
        "health_grace_s": 2,
    },
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.IntakeSurvives(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.StatusHonest(),
        checks.RecoversInTime(commit_within_s=6, closed_within_s=8, healthy_within_s=8, backlog_within_s=12),
    ),
)
