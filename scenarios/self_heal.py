"""Database, queue and network fail in turn, and nobody touches anything."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The database crashes, then Redis, then the network plays up: well again within seconds.",
    load=Load(rate=120, baseline_s=3, shake_s=23, recover_s=7),
    timeline=(
        At(0.5, 8, faults.PostgresCrash()),
        At(11, 14, faults.ValkeyCrash()),
        At(16, 19, faults.Silence("ingest")),
        At(20, 23, faults.Flaky("postgres")),
        At(20, 23, faults.Latency("redis", ms=100)),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 5,
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
        checks.RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=8, backlog_within_s=10),
    ),
)
