"""The intake dies with requests in its hands."""

from shaketable.checks import (
    ContentIntact,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import Kill, Restart
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="The intake is killed twice, then replaced: clients send again, what was acknowledged is stored once.",
    load=Load(rate=150, baseline_s=4, shake_s=16, recover_s=8),
    timeline=(At(1, 4, Kill("intake")), At(7, 8, Kill("intake")), At(11, 13, Restart("intake"))),
    settings={"lease_s": 3},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=6),
    ),
)
