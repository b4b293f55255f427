"""One organization sends most of the events."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
    LatencyBudget,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
)
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Four events of five are one organization's: it keeps its order, and nobody else waits behind it.",
    load=Load(rate=300, baseline_s=4, shake_s=16, recover_s=4),
    mix=Mix(hot=0.92),
    settings={"lease_s": 3},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        HealthHonest(),
        LatencyBudget(acknowledged_within_s=1, stored_within_s=3),
    ),
)
