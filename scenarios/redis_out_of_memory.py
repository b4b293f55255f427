"""The queue's server has no memory left."""

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
from shaketable.faults import OutOfMemory
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Valkey refuses all writes for 8 s: so does the intake, while what is queued is delivered and deleted.",
    load=Load(rate=100, baseline_s=3, shake_s=11, recover_s=7),
    timeline=(At(1, 9, OutOfMemory()),),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        RecoversInTime(commit_within_s=3, healthy_within_s=3, backlog_within_s=8),
    ),
)
