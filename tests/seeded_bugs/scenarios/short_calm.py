"""Nothing breaks, for a few seconds, with many malformed and resent events."""

from shaketable.checks import (
    ContentIntact,
    LatencyBudget,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RefusesRightly,
)
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Nothing goes wrong for 6 s; one event in ten is malformed, one in ten is sent again.",
    load=Load(rate=60, baseline_s=1, shake_s=4, recover_s=1),
    mix=Mix(malformed=0.1, resent=0.1),
    settings={"lease_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        LatencyBudget(),
    ),
)
