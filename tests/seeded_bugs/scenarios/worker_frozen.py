"""One of two workers freezes in the middle of its work, for longer than a lease, and wakes again."""

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.faults import Latency, Pause
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="One worker, slow at the time, freezes for 4 s; others take its lanes, and when it wakes it does no harm.",
    load=Load(rate=150, baseline_s=1, shake_s=9, recover_s=1),
    timeline=(
        At(0.5, 7, Latency("postgres", ms=200, process="worker-1")),
        At(2, 6, Pause("worker-1")),
    ),
    settings={"lease_s": 2, "attempt_timeout_s": 10},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), OrderKept()),
)
