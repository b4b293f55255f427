"""The intake dies with requests in its hands."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The intake is killed twice, then replaced: clients send again, what was acknowledged is stored once.",
    load=Load(rate=150, baseline_s=4, shake_s=16, recover_s=8),
    timeline=(At(1, 4, faults.Kill("intake")), At(7, 8, faults.Kill("intake")), At(11, 13, faults.Restart("intake"))),
    settings={"lease_s": 3},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=6),
    ),
)
