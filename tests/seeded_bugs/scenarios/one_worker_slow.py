"""One worker's store answers late, the other's does not."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres answers one of two workers 300 ms late for 5 s: its lanes are slower, and still in order.",
    load=Load(rate=60, baseline_s=1, shake_s=6, recover_s=2),
    timeline=(At(0.5, 5.5, faults.Latency("postgres", ms=300, process="worker-1")),),
    mix=Mix(ordered=0.6, ordered_organizations=4),
    settings={"lease_s": 4},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.OrderKept()),
)
