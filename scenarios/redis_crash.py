"""The queue's server crashes."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import ValkeyCrash
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Valkey is killed for 6 s and for 1 s: nothing is accepted meanwhile, and what was accepted before is there.",
    load=Load(rate=100, baseline_s=3, shake_s=16, recover_s=7),
    timeline=(At(1, 7, ValkeyCrash()), At(12, 13, ValkeyCrash())),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        RecoversInTime(commit_within_s=4, healthy_within_s=4, backlog_within_s=8),
    ),
)
