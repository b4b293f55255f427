"""Nothing breaks, with enough events to tell a leak."""

from shaketable import Load, Scenario, checks

SCENARIO = Scenario(
    story="Nothing goes wrong for 14 s at 250 events a second: no process grows with them.",
    load=Load(rate=250, baseline_s=1, shake_s=12, recover_s=1),
    settings={"lease_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.MemoryBounded(warm_up_s=2),
    ),
)
