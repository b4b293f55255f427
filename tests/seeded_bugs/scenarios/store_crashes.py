"""The store crashes three times under load, and comes back each time."""

from shaketable.checks import NoDuplicates, NoLoss, NothingInvented, OrderKept
from shaketable.faults import PostgresCrash
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Postgres is killed three times and started again: what it had committed is there, and nothing is lost.",
    load=Load(rate=150, baseline_s=1, shake_s=14, recover_s=1),
    timeline=(At(1, 2.5, PostgresCrash()), At(6, 7.5, PostgresCrash()), At(11, 12.5, PostgresCrash())),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.1, "retry_cap_s": 1, "lease_s": 2},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), OrderKept()),
)
