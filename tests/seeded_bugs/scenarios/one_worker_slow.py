"""One worker's store answers late, the other's does not."""

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.faults import Latency
from shaketable.faults.timeline import At
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Postgres answers one of two workers 300 ms late for 5 s: its lanes are slower, and still in order.",
    load=Load(rate=60, baseline_s=1, shake_s=6, recover_s=2),
    timeline=(At(0.5, 5.5, Latency("postgres", ms=300, process="worker-1")),),
    mix=Mix(ordered=0.6, ordered_organizations=4),
    settings={"lease_s": 4},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), OrderKept()),
)
