"""An acceptance test: fifty events while the store refuses, one more time-out after it returns."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres refuses while 50 events come in; 15 s after its return all are stored, CLOSED, health above 70.",
    load=Load(rate=5, baseline_s=2, shake_s=11, recover_s=4),
    timeline=(At(0.5, 10.5, faults.Down("postgres", mode="refused")),),
    mix=Mix(malformed=0, resent=0.2, ordered=0.5, ordered_organizations=2),
    settings={
        "breaker_recovery_s": 3,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 5,
        "health_grace_s": 2,
    },
    drain_s=15,
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.IntakeSurvives(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.StatusHonest(),
        checks.RecoversInTime(commit_within_s=15, closed_within_s=15, healthy_within_s=15, backlog_within_s=15),
    ),
)
