"""One failure leads to the next."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres slows down, a backlog grows, a worker dies of it, Redis is cut off, Postgres goes: all comes back.",
    load=Load(rate=150, baseline_s=4, shake_s=22, recover_s=8),
    timeline=(
        At(0.5, 13, faults.Latency("postgres", ms=400)),
        At(4, 10, faults.Kill("worker-1")),
        At(7, 11, faults.Down("redis")),
        At(13, 20, faults.Down("postgres")),
        At(16, 21, faults.Kill("worker")),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 4,
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
        checks.RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=8, backlog_within_s=12),
        checks.RetriesBounded(),
    ),
)
