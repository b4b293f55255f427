"""The intake alone loses its queue."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="The intake's link to Redis is cut for 2 s: it refuses meanwhile, and what it acknowledged is kept.",
    load=Load(rate=60, baseline_s=1, shake_s=4, recover_s=2),
    timeline=(At(1, 3, faults.Down("redis", process="ingest")),),
    settings={"lease_s": 2},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.StatusHonest(),
    ),
)
