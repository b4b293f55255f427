"""The store becomes unavailable under load, comes back slow, then well."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is unavailable for 15 s, then 300 ms late for 8 s: the intake goes on, nothing is lost.",
    load=Load(rate=120, baseline_s=4, shake_s=24, recover_s=8),
    timeline=(At(1, 16, faults.Down("postgres")), At(16, 24, faults.Latency("postgres", ms=300))),
    mix=Mix(ordered=0.2, ordered_run=8),  # neighbours of one organization, so that a small inversion is seen
    settings={
        "breaker_failure_threshold": 5,
        "breaker_recovery_s": 3,
        "retry_base_s": 0.2,
        "retry_cap_s": 2,
        "lease_s": 5,
        "open_within_s": 6,
        "health_grace_s": 2,
        "batch_size": 50,  # a backlog of several full batches a lane
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
        checks.RecoversInTime(),
        checks.RetriesBounded(),
        checks.LatencyBudget(),
    ),
)
