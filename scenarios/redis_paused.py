"""The queue's server answers only once a second."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Valkey pauses for a second at a time, then ends all connections 3 times: what it took is stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=7),
    timeline=(At(1, 8, faults.ClientPause()), At(11, 14, faults.KillClients(every_s=1))),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=3, backlog_within_s=8),
    ),
)
