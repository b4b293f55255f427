"""The queue's server may evict; the store becomes unavailable, so that a backlog would build, and memory gets short."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Valkey may evict, Postgres is unavailable, memory is short: the intake refuses, nothing is lost.",
    load=Load(rate=100, baseline_s=3, shake_s=14, recover_s=8),
    timeline=(
        At(1, 12, faults.EvictionPolicy("allkeys-lru")),
        At(3, 11.5, faults.Down("postgres")),
        At(7, 11, faults.OutOfMemory()),
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
        checks.RefusesRightly(),
        checks.RecoversInTime(commit_within_s=6, closed_within_s=6, healthy_within_s=8, backlog_within_s=10),
    ),
)
