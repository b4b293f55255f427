"""The control: nothing breaks, so nothing may be blamed."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RefusesRightly,
)
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Nothing goes wrong: 120 events a second for 15 s, and every one of them is stored, once and in order.",
    load=Load(rate=120, baseline_s=3, shake_s=9, recover_s=3),
    settings={"lease_s": 3},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
    ),
)
