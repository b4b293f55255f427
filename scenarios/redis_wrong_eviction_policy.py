"""Somebody lets the queue's server evict, and later its memory is short."""

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
from shaketable.faults import EvictionPolicy, OutOfMemory
from shaketable.load import Load
from shaketable.scenario import Scenario
from shaketable.timeline import At

SCENARIO = Scenario(
    story="Valkey may evict for 10 s, and 5 s later does: by then the intake takes nothing, nothing is left to lose.",
    load=Load(rate=100, baseline_s=3, shake_s=13, recover_s=7),
    timeline=(At(1, 11, EvictionPolicy("allkeys-lru")), At(6, 10, OutOfMemory())),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(), NoDuplicates(), NothingInvented(), OrderKept(), ContentIntact(), RefusesRightly(), HealthHonest(),
        RecoversInTime(commit_within_s=3, healthy_within_s=3, backlog_within_s=8),
    ),
)  # fmt: skip
