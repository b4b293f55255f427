"""The queue goes away under load."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
    LatencyBudget,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import Down
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Redis is away for 10 s: the intake accepts nothing that it cannot keep, clients come back, all is stored.",
    load=Load(rate=120, baseline_s=3, shake_s=12, recover_s=8),
    timeline=(At(1, 11, Down("redis")),),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        LatencyBudget(),
        RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=5),
    ),
)
