"""One of two workers dies, and comes back."""

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept, RecoversInTime
from shaketable.faults import Kill
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="One worker is killed for 3 s: its lanes go to the other, and nothing is lost.",
    load=Load(rate=60, baseline_s=2, shake_s=6, recover_s=5),
    timeline=(At(1, 4, Kill("worker-1")),),
    settings={"lease_s": 2, "attempt_timeout_s": 2, "health_grace_s": 1, "breaker_recovery_s": 1},
    drain_s=10,
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), OrderKept(), RecoversInTime()),
)
