"""Postgres crashes in the middle of its work, twice."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is killed with all its sessions, for 7 s and for 5 s: what it committed stays, the rest is redone.",
    load=Load(rate=150, baseline_s=3, shake_s=19, recover_s=6),
    timeline=(At(1, 8, faults.PostgresCrash()), At(13, 18, faults.PostgresCrash())),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "lease_s": 3,
        "open_within_s": 3,
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
        checks.RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=5, backlog_within_s=8),
    ),
)
