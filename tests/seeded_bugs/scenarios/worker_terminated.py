"""Each worker is asked to end, as in a deployment."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker after the other is told to end: each finishes or gives back what it holds.",
    load=Load(rate=100, baseline_s=1, shake_s=7, recover_s=1),
    timeline=(At(1, 2.5, faults.Terminate("worker-1")), At(4, 5.5, faults.Terminate("worker-2"))),
    settings={"lease_s": 2},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.OrderKept()),
)
