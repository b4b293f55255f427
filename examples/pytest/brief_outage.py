"""A scenario of the team's own: short enough for every pull request."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is away for 3 s: the backlog grows and goes, and nothing is lost or doubled.",
    load=Load(rate=50, baseline_s=1, shake_s=4, recover_s=2),
    timeline=(At(0.5, 3.5, faults.Down("postgres")),),
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.OrderKept(), checks.RecoversInTime()),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.1, "retry_cap_s": 1, "lease_s": 2},
)
