"""The intake dies under load, and comes back."""

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.faults import Kill
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="The intake is killed for 1 s: what it acknowledged before is kept.",
    load=Load(rate=60, baseline_s=1, shake_s=5, recover_s=1),
    timeline=(At(1.5, 2.5, Kill("ingest")),),
    settings={"lease_s": 2},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), OrderKept()),
)
