"""One worker of two loses the store; the other does not."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker of two is cut off from Postgres for 14 s: its breaker opens, the other takes its lanes over.",
    load=Load(rate=120, baseline_s=3, shake_s=16, recover_s=7),
    timeline=(At(1, 15, faults.Down("postgres", process="worker-2")),),
    settings={"breaker_recovery_s": 2, "retry_base_s": 0.2, "retry_cap_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.Isolated(),
        checks.RecoversInTime(commit_within_s=2, closed_within_s=4, healthy_within_s=5, backlog_within_s=5),
    ),
)
