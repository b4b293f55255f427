"""Connections to the queue break, again and again."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Redis is cut off for 0.3 s of every 1.5 s: clients are told to try again or do not know, nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=6),
    timeline=(At(1, 14, faults.Flaky("redis", down_ms=300, up_ms=1200)),),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
