"""One of two workers freezes in the middle of its work, for longer than a lease, and wakes again."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="One worker, slow at the time, freezes for 4 s; others take its lanes, and when it wakes it does no harm.",
    load=Load(rate=150, baseline_s=1, shake_s=9, recover_s=1),
    timeline=(
        At(0.5, 7, faults.Latency("postgres", ms=200, process="worker-1")),
        At(2, 6, faults.Pause("worker-1")),
    ),
    settings={"lease_s": 2, "attempt_timeout_s": 10},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.OrderKept()),
)
