"""The store collides with other people's transactions: deadlocks, then a lock on its table."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Writers deadlock for 7 s, then their table is locked for 9 s: they try again, and no event is blamed.",
    load=Load(rate=120, baseline_s=3, shake_s=19, recover_s=7),
    timeline=(At(1, 8, faults.Deadlock(every_s=2)), At(9.5, 18.5, faults.LockTable())),
    settings={
        "attempt_timeout_s": 2,
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 4,
        "open_within_s": 7,
        "health_grace_s": 1,
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
        checks.RecoversInTime(commit_within_s=6, closed_within_s=6, healthy_within_s=6, backlog_within_s=10),
        checks.RetriesBounded(),
    ),
)
