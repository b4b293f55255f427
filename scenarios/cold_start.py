"""Processes start while what they need is not there."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Redis, then Postgres, is unavailable while all processes start: each waits for it, nothing is lost.",
    load=Load(rate=100, baseline_s=4, shake_s=22, recover_s=8),
    timeline=(
        At(0.5, 8.5, faults.Down("redis", mode="refused")),
        At(1, 6, faults.Restart("intake", mode="kill")),
        At(2.5, 8, faults.Restart("worker", mode="kill")),
        At(10, 20, faults.Down("postgres", mode="refused")),
        At(11, 18, faults.Restart("worker", mode="kill")),
        At(14, 19, faults.Restart("intake", mode="kill")),
    ),
    settings={
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
        checks.IntakeSurvives(),
        checks.RecoversInTime(commit_within_s=6, closed_within_s=8, healthy_within_s=8, backlog_within_s=12),
    ),
)
