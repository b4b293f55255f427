"""Ten times as many events for a few seconds."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
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
    story="100 events a second, then ten times as many for 3 s: all are taken, and stored within seconds.",
    load=Load(rate=190, baseline_s=5, shake_s=18, recover_s=7, shape="tenfold"),
    mix=Mix(ordered=0.04, ordered_organizations=40),  # one a second each in the burst: they wait for their answers
    settings={"lease_s": 3},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        LatencyBudget(acknowledged_within_s=1, stored_within_s=4),
    ),
)
