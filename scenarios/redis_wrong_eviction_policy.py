"""The queue's server may evict; the store goes away, so that a backlog would build, and memory gets short."""

from shaketable.checks import (
    ContentIntact,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import Down, EvictionPolicy, OutOfMemory
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Valkey may evict, Postgres goes away, memory is short: the intake takes nothing by then, nothing is lost.",
    load=Load(rate=100, baseline_s=3, shake_s=14, recover_s=8),
    timeline=(
        At(1, 12, EvictionPolicy("allkeys-lru")),
        At(3, 11.5, Down("postgres")),
        At(7, 11, OutOfMemory()),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 6,
        "health_grace_s": 2,
    },
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        RecoversInTime(commit_within_s=6, closed_within_s=6, healthy_within_s=8, backlog_within_s=10),
    ),
)
