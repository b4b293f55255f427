"""Each worker is asked to end, as in a deployment."""

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.faults import Terminate
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="One worker after the other is told to end: each finishes or gives back what it holds.",
    load=Load(rate=100, baseline_s=1, shake_s=7, recover_s=1),
    timeline=(At(1, 2.5, Terminate("worker-1")), At(4, 5.5, Terminate("worker-2"))),
    settings={"lease_s": 2},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), OrderKept()),
)
