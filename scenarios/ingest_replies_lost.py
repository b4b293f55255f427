"""What the intake has accepted, without the clients hearing of it."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Twice the intake's answers are lost on the way: clients send all again, and each event is stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=8),
    timeline=tuple(At(at, at + 4, faults.Silence("ingest", direction="answers")) for at in (1, 9)),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.LatencyBudget(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
