"""A deployment: every process is replaced in turn, under load."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Every process is asked to end and replaced in turn, twice: all hand over what they hold, nothing is lost.",
    load=Load(rate=150, baseline_s=4, shake_s=18, recover_s=8),
    timeline=(
        At(0.5, 6, faults.Restart("worker")),
        At(6.5, 9, faults.Restart("intake")),
        At(9.5, 15, faults.Restart("worker")),
        At(15.5, 17.5, faults.Restart("intake")),
    ),
    settings={"lease_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.HealthHonest(),
        checks.LatencyBudget(acknowledged_within_s=1, stored_within_s=4),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=6),
    ),
)
