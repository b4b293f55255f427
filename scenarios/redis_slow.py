"""The queue answers late."""

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
from shaketable.faults import Latency
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Redis answers 300 ms late for 12 s: everything takes longer, nothing is refused, lost or doubled.",
    load=Load(rate=120, baseline_s=3, shake_s=14, recover_s=6),
    timeline=(At(1, 13, Latency("redis", ms=300)),),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        LatencyBudget(acknowledged_share=1.0),
        RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
