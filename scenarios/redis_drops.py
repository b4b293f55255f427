"""Connections to the queue break, again and again."""

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
from shaketable.faults import Flaky
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Redis is cut off for 0.3 s of every 1.5 s: clients are told to try again or do not know, nothing is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=6),
    timeline=(At(1, 14, Flaky("redis", down_ms=300, up_ms=1200)),),
    settings={"enqueue_timeout_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
