"""Postgres crashes in the middle of its work, twice."""

from shaketable.checks import (
    BreakerBehaves,
    ContentIntact,
    HealthHonest,
    IntakeSurvives,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import PostgresCrash
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Postgres is killed with all its sessions, for 7 s and for 5 s: what it committed stays, the rest is redone.",
    load=Load(rate=150, baseline_s=3, shake_s=19, recover_s=6),
    timeline=(At(1, 8, PostgresCrash()), At(13, 18, PostgresCrash())),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "lease_s": 3,
        "open_within_s": 3,
        "health_grace_s": 1,
    },
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        IntakeSurvives(),
        BreakerBehaves(),
        HealthHonest(),
        RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=5, backlog_within_s=8),
    ),
)
