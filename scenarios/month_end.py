"""The events of new months come to both workers at once."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Events of old months and of today come while Postgres is 60 ms late: both workers create the same months.",
    load=Load(rate=120, baseline_s=3, shake_s=16, recover_s=5),
    timeline=(At(1, 15, faults.Latency("postgres", ms=60)),),
    mix=Mix(month_ends=0.15),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=6),
    ),
)
