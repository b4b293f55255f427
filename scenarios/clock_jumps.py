"""The clocks of the target's processes jump and drift."""

from shaketable import At, Load, Scenario, checks, faults

HOUR_S, DAY_S = 3600, 86_400

SCENARIO = Scenario(
    story="The clocks of intake and workers jump by hours and by months, and run fast and slow: nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=27, recover_s=6),
    timeline=(
        At(0.5, 26, faults.RejectRows(0.01)),
        At(2, 7, faults.ClockStep("intake", by_s=3 * HOUR_S)),
        At(2, 7, faults.ClockStep("worker-1", by_s=-2 * HOUR_S)),
        At(8, 16, faults.ClockStep("intake", by_s=-4 * HOUR_S)),
        At(8, 16, faults.ClockStep("worker", by_s=60 * DAY_S)),  # longer than the retention of dead letters
        At(10, 15, faults.Restart("worker")),
        At(17, 25, faults.ClockDrift("intake", rate=0.5)),
        At(17, 25, faults.ClockDrift("worker", rate=20)),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.1,
        "retry_cap_s": 0.5,
        "lease_s": 3,
        "open_within_s": 3,
        "health_grace_s": 2,
    },
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.DeadLettersExplained(),
        checks.Isolated(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.LatencyBudget(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=6),
        checks.RetriesBounded(),
    ),
)
