"""Every way in which a stack of containers can break something, briefly."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Links and processes are broken one after another for 10 s, and nothing is lost.",
    # no check reads times
    load=Load(rate=30, baseline_s=1, shake_s=10, recover_s=1, unsent_bound=0.2, lateness_bound_ms=10_000),
    timeline=(
        At(0.5, 2, faults.Down("postgres")),
        At(2, 3.5, faults.Latency("redis", ms=100)),
        At(2.5, 3.5, faults.Pause("worker-2")),
        At(
            3.5, 5, faults.Kill("worker-1")
        ),  # it is back when it is ready, which takes its time where the machine is busy
        At(5.5, 10, faults.Restart("ingest")),
    ),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.1, "retry_cap_s": 1, "lease_s": 2},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.ContentIntact()),
)
