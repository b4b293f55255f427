"""The intake alone loses its queue."""

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.faults import Down
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="The intake's link to Redis is cut for 2 s: it refuses meanwhile, and what it acknowledged is kept.",
    load=Load(rate=60, baseline_s=1, shake_s=4, recover_s=2),
    timeline=(At(1, 3, Down("redis", process="ingest")),),
    settings={"lease_s": 2},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), OrderKept()),
)
