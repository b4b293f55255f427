"""The intake dies under load, and comes back."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The intake is killed for 1 s: what it acknowledged before is kept.",
    load=Load(rate=60, baseline_s=1, shake_s=5, recover_s=1),
    timeline=(At(1.5, 2.5, faults.Kill("ingest")),),
    settings={"lease_s": 2},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.OrderKept()),
)
